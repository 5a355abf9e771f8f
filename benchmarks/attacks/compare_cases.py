"""Comparisons that are impossible."""

from attacks import flag_cases, runs
from attacks.case import Case, step

KIND = "compare"
RIGHT = {f.removeprefix("--").partition("=")[0]: f.partition("=")[2] for f in runs.COMPARISON}
METHODS = ("orcc", "kd,,alone", "kd,", ",", "KD", "kd;alone", "kd alone", "all", "kd,orc,nothing")
SEEDS = ("", "0,,1", "0,", ",", "a", "1.5", "0,0", "-1", "4294967296", "0-3", "0 1", "nan", "1e2")
JOBS = ("-1", "two", "", "1.5", "nan")
VARIANTS = (
    "",
    ":",
    "beta",
    "beta:",
    ": --temperature=2",
    "beta: temperature=2",
    "beta: --temperatur=2",
    "beta: --temperature=0",
    "beta: --temperature=hot",
    "beta: --seed=3",
    "beta: --output_dir=x",
    "beta: --overwrite",
    "beta: --method=none",
    "beta: --num_temporary_teachers=7",
    "beta: --students=resnet8,,resnet8",
    "beta: --pivot=resnet9",
    "beta: --pivot_weights=missing.keras",
    "beta: --batch_size=100000",
    "beta: --steps_per_execution=7",
    "beta: --pivot=vgg13",
    "beta: --image_size=20000",
    "beta: --validation_fraction=0.0001",
    "beta: --flagfile=missing.txt",
    "beta: --method=dml --pivot_weights=x.keras",
    "../beta: --temperature=2",
    "a/b: --temperature=2",
    ".beta: --temperature=2",
    "kd: --temperature=2",
    "alone: --temperature=2",
    "beta --temperature=2",
    "be\nta: --temperature=2",
    "b" * 300 + ": --temperature=2",
)
OTHERS = (
    ("--method=kd", ("method",)),
    ("--seed=3", ("seed",)),
    ("--overwrite", ("overwrite",)),
    ("--variants=beta: --temperature=2", ("variants",)),
    ("resnet8", ("resnet8",)),
    ("--output_dir=text", (("output_dir", "text"), "text")),
    ("--output_dir=text/here", ("text",)),
    ("--output_dir=/proc/here", ("/proc/here",)),
    ("--output_dir=run", (("output_dir", "run"),)),
    ("--dataset=nothing", ("dataset",)),
    ("--dataset=folder:missing", ("missing",)),
    ("--batch_size=100000", ("batch_size",)),
    ("--pivot=resnet9", ("pivot", "resnet9")),
    ("--students=resnet8,,resnet8", ("students",)),
    ("--students=", ("students",)),
    ("--epochs=0", ("epochs",)),
    ("--image_size=20000", ("image_size", "memory")),
    ("--pivot_weights=missing.keras", ("missing.keras",)),
    ("--steps_per_execution=7", ("steps_per_execution",)),
    ("--pivot=vgg13", ("vgg13",)),
)


def pool(rng):
    """Returns a case for each wrong value above, and some with two of them."""
    values = [("methods", METHODS), ("seeds", SEEDS), ("jobs", JOBS)]
    single = [
        *(({flag: value}, (flag,)) for flag, wrong in values for value in wrong),
        *(({"variant": variant}, _names_of(variant)) for variant in VARIANTS),
    ]
    return [
        *(_case(*each) for each in single),
        *(_case({}, names, (word,)) for word, names in OTHERS),
        *_last_of_three(),
        *_pairs(rng, single),
    ]


def _names_of(variant):
    """The flag, or the name of what is compared."""
    name = variant.partition(":")[0].strip()
    return ("variant", f"{name}: ", repr(name)[1:-1]) if name else ("variant",)


def _last_of_three():
    """What is impossible in the last variant is refused before the first run."""
    right = ("--variant=hot: --temperature=9", "--variant=cold: --temperature=1")
    for wrong in VARIANTS[9:23]:
        name = wrong.partition(":")[0]
        yield _case({}, ("variant", name), (*right, f"--variant={wrong}"))


def _pairs(rng, single):
    for _ in single:
        (one, of_one), (other, of_other) = rng.sample(single, 2)
        if not one.keys() & other.keys():
            yield _case(one | other, of_one + of_other)


def _case(overrides, names, more=()):
    title = ", ".join([*(f"{f}={v[:50]!r}" for f, v in overrides.items()), *map(repr, more)])
    arguments = tuple(f"--{flag}={value}" for flag, value in (RIGHT | overrides).items())
    needed = [step(runs.copy, "finished")] if "--output_dir=run" in more else []
    files = (*needed, step(flag_cases.odd_places))
    return Case(KIND, title, "compare", (*arguments, *more), names, files=files)
