"""A wrong input, what has to come of it, and what came."""

import dataclasses
import os
import shlex
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent
PROGRAMS = {
    "train": "train.py",
    "evaluate": "orc_keras.evaluate",
    "export": "orc_keras.export",
    "predict": "orc_keras.predict",
    "report": "orc_keras.report",
    "compare": "orc_keras.compare",
}
LIBRARY = "library"  # in place of a program: a snippet of Python


@dataclasses.dataclass(frozen=True)
class Case:
    """A wrong input.

    Attributes:
        kind: which part of the grammar it comes from.
        title: what is wrong, in a few words.
        program: of `PROGRAMS`, or `LIBRARY`.
        arguments: of the program; for `LIBRARY` a snippet.
        names: what the sentence has to contain, any of them; one that is a tuple, all of it.
        files: functions of the case's folder, called in this order, which make what is right.
        damage: likewise, which then make it wrong.
        expected: `refused`; `refused first`, before anything is printed; `said`, in the output,
            or refused; `accepted`; `any`, refused or accepted; `same`, refused, or said, or the
            result is the same as without the damage.
        stop: where training ends: after `prepare`, before `fit`, at the first `epoch` of the
            group, or nowhere ("").
        changes: patterns of files that the program may change.
        check: a function of the case's folder that returns what is wrong in it afterwards, or "".
        environment: pairs of variables and values.
        seconds: how long it may take.
        number: its place among those that were drawn.
    """

    kind: str
    title: str
    program: str
    arguments: tuple
    names: tuple = ()
    files: tuple = ()
    damage: tuple = ()
    expected: str = "refused"
    stop: str = "prepare"
    changes: tuple = ()
    check: object = None
    environment: tuple = ()
    seconds: int = 20
    number: int = -1

    def uses(self, function):
        """Whether a function is one of the steps that make the case's files."""
        return any(make.function is function for make in (*self.files, *self.damage))

    def command(self, place):
        """Returns the line for a shell that repeats it, in the folder `place`."""
        paths = [str(ROOT), *([str(BENCHMARKS)] if self.program == LIBRARY else [])]
        variables = [("PYTHONPATH", os.pathsep.join(paths)), *self.environment]
        return " ".join(
            [
                f"cd {shlex.quote(str(place))} &&",
                *(f"{name}={shlex.quote(value)}" for name, value in variables),
                shlex.join(["python", *self._python_arguments()]),
            ]
        )

    def _python_arguments(self):
        if self.program == LIBRARY:
            return ["-c", *self.arguments]
        if self.program == "train":
            return [str(ROOT / PROGRAMS["train"]), *self.arguments]
        return ["-m", PROGRAMS[self.program], *self.arguments]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Attributes:
        case: the `Case`.
        problem: what is wrong, in a word, such as `traceback` or `accepted`; "" if nothing is.
        detail: more about that.
        output: the end of what was printed.
        seconds: how long it took.
        place: the folder in which it can be repeated.
    """

    case: Case
    problem: str
    detail: str
    output: str
    seconds: float
    place: Path


@dataclasses.dataclass(frozen=True)
class Step:
    """A call of a function of a module, whose first argument will be a case's folder."""

    function: object
    arguments: tuple
    options: tuple

    def __call__(self, place):
        return self.function(Path(place), *self.arguments, **dict(self.options))

    def __repr__(self):
        return f"{self.function.__qualname__}{self.arguments}{self.options}"


def step(function, *arguments, **options):
    """Returns a `Step` of `files` or `damage`."""
    return Step(function, arguments, tuple(options.items()))
