"""Commands and calls with nothing wrong, which have to be accepted: a check of the checks."""

from attacks import data_cases, flag_cases, folder_cases, pictures, program_cases, runs
from attacks.case import LIBRARY, Case, step
from attacks.group_cases import GROUPS, IMPORT
from attacks.run_cases import COMMANDS, CONTINUED

KIND = "right"


def pool(rng):
    """Returns a case of each program, of each way to give data, and of each group."""
    finished = (step(runs.copy, "finished"), step(program_cases.places))
    return [
        _case("train", flag_cases.right_flags()),
        _case("train", flag_cases.right_flags(**folder_cases.SMALL), (step(pictures.folder),)),
        _case("train", flag_cases.right_flags(pivot_weights="x.keras"), (_weights("x.keras"),)),
        _case("compare", runs.COMPARISON),
        _case("compare", runs.COMPARISON, (step(runs.copy, "comparison"),)),
        *(_case(program, arguments, finished) for program, arguments, *_ in COMMANDS),
        _continued(),
        *map(_call, _calls(rng)),
    ]


def _case(program, arguments, files=()):
    title = f"{program} {' '.join(arguments[-2:])}"
    changes = ("comparison/*", "run/report/*", "run/resnet8_2/*")
    accepted = {"expected": "accepted", "changes": changes, "seconds": 60}
    return Case(KIND, title, program, tuple(arguments), files=files, **accepted)


def _weights(path):
    return step(runs.copy, "networks/resnet8.keras", path)


def _continued():
    return Case(
        KIND,
        "continue",
        "train",
        (*runs.FLAGS, runs.OUTPUT),
        files=(step(runs.copy, "unfinished"),),
        expected="accepted",
        stop="epoch",
        changes=CONTINUED,
        seconds=60,
    )


def _calls(rng):
    for container in data_cases.GIVEN.values():
        for method in data_cases.METHODS:
            given = container.format(x="images", y="labels")
            if "on_batch" not in method or given == "images, labels":
                kind = rng.choice(GROUPS)
                more = data_cases.options(method, given)
                yield f"group(orc_keras.{kind}).{method}({given}{more})"
    for kind in GROUPS:
        yield f"group(orc_keras.{kind}).predict(images, verbose=0)"


def _call(code):
    return Case(KIND, code, LIBRARY, (IMPORT + code + "\n",), expected="accepted")
