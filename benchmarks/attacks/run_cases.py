"""Finished and unfinished runs of which a file is not what it was."""

from attacks import damages, pictures, runs
from attacks.case import Case, step

KIND = "runs"
STUDENT = [
    f"run/student/{name}"
    for name in (
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "class_names.txt",
        "SHA256SUMS",
        "fingerprint.pb",
        "README.md",
    )
]
SAVES = GROUP, PIVOT = [
    f"run/checkpoints/{stage}-000001-00000000.npz" for stage in ("group", "pivot")
]
RUN = [
    f"run/{name}"
    for name in (
        "settings.flags",
        "data.json",
        "summary.json",
        "history.csv",
        "SHA256SUMS",
        "pivot_history.csv",
        "roles.npy",
        "evaluation.npz",
        "student.keras",
        "student.tflite",
        "checkpoints/group.keras",
        "checkpoints/pivot.keras",
    )
]
SUMMARY = "run/summary.json"
NEEDED = (SUMMARY, "run/checkpoints/group.keras", "run/SHA256SUMS")
# Each command, by its program: its arguments, files that it needs, and files that it may change.
REPORT = ("run/report/*",)
COMMANDS = (
    ("evaluate", ("--run=run",), NEEDED, ()),
    ("evaluate", ("--run=run", "--member=resnet8"), NEEDED, ()),
    ("evaluate", ("--saved_model=run/student", "--dataset=digits"), STUDENT[:5], ()),
    ("export", ("--run=run", "--member=resnet8_2"), NEEDED, ()),
    ("predict", ("--saved_model=run/student", "one.png"), STUDENT[:5], ()),
    ("report", ("run",), tuple(RUN[:5]) + ("run/roles.npy", "run/evaluation.npz"), REPORT),
    ("train", (*runs.FLAGS, runs.OUTPUT), (SUMMARY, "run/settings.flags", "run/data.json"), ()),
)
CONTINUED = ("run/checkpoints/*", "run/*history.csv", "run/roles.npy", "run/tensorboard/*")
COMPARED = [
    f"comparison/{run}/seed0/{name}"
    for run in ("kd", "alone")
    for name in ("settings.flags", "summary.json", "history.csv", "data.json", "SHA256SUMS")
]


def pool(rng):
    """Returns cases of every command with damaged files that it needs, and with some others."""
    return [
        *_finished(rng),
        *_unneeded(rng),
        *_compared(rng),
        *_unfinished(rng),
        *_swapped_saves(),
    ]


def _finished(rng):
    for program, arguments, needed, changes in COMMANDS:
        for path in needed:
            for way in _ways(path):
                yield _damaged(program, arguments, path, way, rng, changes)


def _ways(path):
    """Returns the ways in which a file can be damaged."""
    of_json = damages.OF_JSON if path.endswith(".json") else ()
    lines = (".flags", ".csv", "SHA256SUMS", "class_names.txt")
    return damages.WAYS + of_json + (damages.OF_LINES if path.endswith(lines) else ())


def _unneeded(rng):
    """Every file, with a command that may not need it: then the result must be the same."""
    for path in (*RUN, *STUDENT, *SAVES):
        program, arguments, _, changes = rng.choice(COMMANDS)
        yield _damaged(program, arguments, path, rng.choice(damages.WAYS), rng, changes)


def _damaged(program, arguments, path, way, rng, changes):
    other = rng.choice([p for p in RUN if p != path])
    if way == "another run's":
        other = path.replace("run/", "other_seed/run/", 1)
    of = {"way": way, "seed": rng.getrandbits(30), "other": other}
    names = _names(path) + (_names(other) if way == "swapped" else ())
    # The same command may write again what is missing; without its settings it is no run.
    writes_again = (program, way) == ("train", "missing") and path != "run/settings.flags"
    return Case(
        KIND,
        f"{program}: {path} is {way}" + (f" with {other}" if way == "swapped" else ""),
        program,
        arguments,
        names,
        files=(step(runs.copy, "finished"), step(_one)),
        damage=(step(damages.damage, path, **of),),
        expected="any" if writes_again else "same",
        stop="epoch" if program == "train" else "prepare",
        changes=("run/*",) if writes_again else changes,
        seconds=60 if program in ("train", "export") else 30,
    )


def _names(path):
    """Returns what may name a file: its own name, or the directory that is to be whole."""
    name = path.rpartition("/")[2]
    if path.startswith("run/student/"):
        return (name, "run/student")
    return ("settings.flags", "other settings") if name == "settings.flags" else (name,)


def _one(place):
    pictures.write(place, "one.png", pictures.encoded(pictures.noise(1, 8, 1), "png"))


def _compared(rng):
    for path in COMPARED:
        for way in (*damages.WAYS[:5], *_ways(path)[len(damages.WAYS) :]):
            directory, _, name = path.rpartition("/")
            makes_again = (name, way) == ("summary.json", "missing")  # as the README says
            yield Case(
                KIND,
                f"compare: {path} is {way}",
                "compare",
                runs.COMPARISON,
                (name, "other settings", (directory, "settings.flags")),
                files=(step(runs.copy, "comparison"),),
                damage=(step(damages.damage, path, way=way, seed=rng.getrandbits(30)),),
                expected="accepted" if makes_again else "same",
                changes=("comparison/*.md", "comparison/*.csv", "comparison/*.png"),
                seconds=30,
            )


def _unfinished(rng):
    """The newest save of a run that was killed is damaged: it is named, and the older one used."""
    for save in (runs.NEWEST, "pivot-000001-00000000.npz"):
        for way in ("empty", "cut", "flipped", "text"):
            of = {"way": way, "seed": rng.getrandbits(30)}
            damage = step(damages.damage, f"run/checkpoints/{save}", **of)
            yield _continued(f"{save} is {way}", (save,), damage)
    for way in ("missing", *damages.WAYS[1:4], *damages.OF_JSON):
        damage = step(damages.damage, "run/data.json", way=way, seed=rng.getrandbits(30))
        expected = "any" if way == "missing" else "same"
        yield _continued(f"data.json is {way}", ("data.json", "dataset"), damage, expected)
    for way in damages.WAYS[1:6]:
        damage = step(damages.damage, "run/settings.flags", way=way, seed=rng.getrandbits(30))
        names = ("settings.flags", "other settings")
        yield _continued(f"settings.flags is {way}", names, damage, "same")


def _swapped_saves():
    """Whole saves under a name that is not theirs."""
    newest, older = (f"run/checkpoints/{name}" for name in (runs.NEWEST, runs.OLDER))
    later = "run/checkpoints/group-000000-00000015.npz"
    for what, save, to in (
        ("the pivot's save as the group's", PIVOT, newest),
        ("the group's save as the pivot's", newest, PIVOT),
        ("an older save as the newest", older, newest),
        ("a save under a later name", newest, later),
        ("another seed's save", f"other_seed/{GROUP}", newest),
        ("another seed's save, at the end", f"other_seed/{GROUP}", GROUP),
        ("another seed's pivot", f"other_seed/{PIVOT}", PIVOT),
        ("a finished run's save", f"finished/{GROUP}", later),
        ("other members' save", f"comparison/comparison/kd/seed0/{GROUP[4:]}", newest),
        ("other members' pivot", f"comparison/comparison/kd/seed0/{PIVOT[4:]}", PIVOT),
    ):
        name = to.rpartition("/")[2]
        yield _continued(what, (name,), step(damages.copy_save, save, to))


def _continued(title, names, damage, expected="said"):
    return Case(
        KIND,
        f"continue: {title}",
        "train",
        (*runs.FLAGS, runs.OUTPUT, "--save_every=5 steps"),
        names,
        files=(step(runs.copy, "unfinished"),),
        damage=(damage,),
        expected=expected,
        stop="epoch",
        changes=CONTINUED,
        seconds=60,
    )
