"""Attacks the project with wrong inputs: python benchmarks/attack.py

Draws wrong flags, files, folders, runs, arguments and calls from a grammar (`attacks/`), and runs
each in a process of its own. Each has to end at once with a sentence that names what is wrong,
without a traceback, without a library's messages, and without a lost file. Prints a table of the
kinds, and each failure with what repeats it.
"""

import collections
import dataclasses
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from attacks import forking, grammar, runs
from attacks.grammar import cases, sample

__all__ = ["attack", "cases", "sample"]


def attack(cases, jobs=2, ended=None):
    """Runs cases, `jobs` at once.

    Args:
        cases: a list of `Case`.
        jobs: processes at once.
        ended: a function that is told each verdict as soon as it is there.

    Returns:
        Their verdicts, in order; those without a `problem` have passed. The folders of those that
        have not stay, to repeat them.
    """
    if any(case.uses(runs.copy) for case in cases):
        runs.make(jobs)
    work = Path(tempfile.mkdtemp(prefix="cases-", dir=forking.work_directory()))
    verdicts = forking.each(_Judge(work), cases, jobs, ended)
    if not any(verdict.problem for verdict in verdicts):
        shutil.rmtree(work)
    return verdicts


@dataclasses.dataclass(frozen=True)
class _Judge:
    """The function that each process calls; the module that it needs imports TensorFlow."""

    work: Path

    def __call__(self, case):
        from attacks import judging

        return judging.judge(case, self.work)


def table(verdicts):
    """Returns the number of each kind, how many passed, and the slowest, as text."""
    by_kind = collections.defaultdict(list)
    for verdict in verdicts:
        by_kind[verdict.case.kind].append(verdict)
    rows = [("kind", "number", "passed", "failed", "slowest, s")]
    for kind, group in [*by_kind.items(), ("all", verdicts)]:
        failed = sum(bool(verdict.problem) for verdict in group)
        slowest = max(verdict.seconds for verdict in group)
        row = (kind, len(group), len(group) - failed, failed, f"{slowest:.1f}")
        rows.append(tuple(map(str, row)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def failure(verdict):
    """Returns a failure as text: what is wrong, what repeats it, and the output's end."""
    case = verdict.case
    output = "\n".join(f"    {_printable(line)}" for line in verdict.output.splitlines()[-12:])
    return (
        f"{case.number} [{case.kind}] {case.title}\n"
        f"  {verdict.problem}: {_printable(verdict.detail)[:600]}\n"
        f"  {case.command(verdict.place)}\n{output}"
    )


def _printable(text):
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def define_flags(values):
    to, kinds = {"flag_values": values}, ["", *grammar.KINDS]
    flags.DEFINE_integer("seed", 0, "Of what is drawn.", **to)
    flags.DEFINE_integer("number", 500, "How many wrong inputs.", 1, **to)
    flags.DEFINE_integer("jobs", 2, "Processes at once.", 1, **to)
    flags.DEFINE_integer("only", None, "The number of the one case to repeat.", **to)
    flags.DEFINE_enum("kind", "", kinds, "The one kind to draw.", **to)


def main(values, arguments=()):
    if arguments:
        sys.exit(f"attack.py: {arguments[0]!r} is not a flag.")
    drawn = cases(values.seed, values.number)
    chosen = [
        case
        for case in drawn
        if values.kind in ("", case.kind) and values.only in (None, case.number)
    ]
    if not chosen:
        sys.exit(f"attack.py: no such case among {len(drawn)} of {', '.join(grammar.KINDS)}.")
    started = time.monotonic()
    verdicts = attack(chosen, values.jobs, _progress(len(chosen)))
    print(f"\n{table(verdicts)}\n\n{(time.monotonic() - started) / 60:.1f} minutes.\n")
    failed = [verdict for verdict in verdicts if verdict.problem]
    print("\n\n".join(map(failure, failed)))
    sys.exit(int(bool(failed)))


def _progress(number):
    """Returns a function that counts verdicts where somebody watches."""
    done = []

    def ended(verdict):
        done.append(verdict)
        if sys.stderr.isatty():
            failed = sum(bool(each.problem) for each in done)
            print(f"\r{len(done)}/{number}, {failed} failed", end="", file=sys.stderr)

    return ended


if __name__ == "__main__":
    define_flags(flags.FLAGS)
    app.run(lambda arguments: main(flags.FLAGS, arguments[1:]))
