"""The runs of a comparison."""

import dataclasses
import re
from pathlib import Path

from orc_keras import run_files, validation
from orc_keras.arguments import arguments_of
from orc_keras.groups import METHODS
from orc_keras.runs import RunDirectory, continuation
from orc_keras.settings import Settings, check_entries, parse

REFERENCES = ("kd", "alone")  # the baselines; the first trains the pivots
SET_HERE = ("seed", "output_dir", "overwrite", "pivot_weights")  # a variant cannot set these
# The settings that may differ between runs that share a pivot.
OF_THE_GROUP = {
    *("method", "students", "epochs", "pivot_learning_rate", "student_learning_rates"),
    *(name for method in METHODS.values() for name in arguments_of(method)),
}


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training of a comparison.

    Attributes:
        variant: the name of a method, or of a variant given by the user.
        seed: of the run.
        settings: `Settings`, `output_dir` and `pivot_weights` included.
        pivot: the file of the pivot that another run trains for this one, or None.
    """

    variant: str
    seed: int
    settings: Settings
    pivot: Path | None

    @property
    def directory(self):
        return Path(self.settings.output_dir)


def plan(base, methods, variants, seeds, output_dir):
    """Returns the runs of a comparison, in starting order.

    Args:
        base: the `Settings` that all runs share.
        methods: names of methods; `kd` and `alone` are added if missing.
        variants: other settings to compare, as texts `"<name>: --flag=value ..."`.
        seeds: whole numbers, all different.
        output_dir: the parent of the runs' directories, `<variant>/seed<n>`.

    Raises:
        ValueError: if a method, a variant or a seed is impossible, or if a directory holds another
            run.
    """
    output_dir = Path(output_dir).resolve()  # a run must not depend on the working directory
    continuation.check_place(output_dir)
    if base.pivot_weights and not Path(base.pivot_weights).is_file():
        raise ValueError(f"--pivot_weights={base.pivot_weights} is not a file.")
    compared = _compared(methods, variants)
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0 or max(seeds) >= 2**32:
        raise ValueError(f"--seeds must be different whole numbers from 0 on, not {seeds}.")
    of_variants = {name: _with_flags(base, name, given) for name, given in compared.items()}
    for name, settings in of_variants.items():
        _check_possible(name, settings)
    if (output_dir / run_files.SETTINGS).exists():
        raise ValueError(f"--output_dir={output_dir} holds a run; choose one for the comparison.")
    runs = [
        _run(base, name, settings, seed, output_dir)
        for seed in seeds
        for name, settings in of_variants.items()
    ]
    for run in runs:
        _check_directory(run)
    return runs


def _compared(methods, variants):
    """Returns the flags of each method and variant, by name, the baselines first."""
    check_entries("methods", methods)
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"--methods={method} is unknown; possible are {', '.join(METHODS)}.")
    names = dict.fromkeys((*REFERENCES, *methods))
    compared = {name: [f"--method={name}"] for name in names}
    for variant in variants:
        found = re.fullmatch(r"\s*(\w[^:/]*?)\s*:\s*(\S.*)", variant)
        if not found:
            raise ValueError(
                "--variant must be like '<name>: --flag=value', with a name that begins with a "
                f"letter or digit and has no '/', not {variant!r}."
            )
        name, given = found.groups()
        if _folder(name) in map(_folder, compared):
            raise ValueError(f"--variant: {name} is there twice; give each another name.")
        compared[name] = given.split()
    return compared


def _folder(name):
    return name.replace(" ", "_")


def _with_flags(base, name, given):
    """Returns the settings `base` changed by flags."""
    try:
        settings = parse([*base.as_flags().splitlines(), *given])
    except ValueError as error:
        raise ValueError(f"--variant={name}: {error}") from None
    unvaried = dataclasses.replace(base, output_dir="", overwrite=False)  # not in `as_flags`
    ours = [flag for flag in SET_HERE if getattr(settings, flag) != getattr(unvaried, flag)]
    if ours:
        raise ValueError(f"--variant={name}: --{ours[0]} cannot be varied.")
    return dataclasses.replace(settings, output_dir=base.output_dir)


def _check_possible(name, settings):
    """Refuses impossible settings of any run before the first one starts."""
    try:
        validation.check_networks(settings)
        validation.check_size(settings)
        validation.check_dataset_size(settings)
        validation.check_method(settings)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _check_directory(run):
    try:
        continuation.check(RunDirectory(run.directory), run.settings)
    except ValueError as error:
        what = str(error).removeprefix("--output_dir=").partition(";")[0].rstrip(".")
        raise ValueError(
            f"{what}; choose another --output_dir for the comparison, or delete that folder."
        ) from None


def _run(base, name, settings, seed, output_dir):
    directory = output_dir / _folder(name) / f"seed{seed}"
    changed = {
        field.name
        for field in dataclasses.fields(settings)
        if getattr(settings, field.name) != getattr(base, field.name)
    }
    weights, pivot = settings.pivot_weights, None
    if not METHODS[settings.method].trains_pivot_first:
        weights = ""
    elif validation.pivot_learns(settings) and changed <= OF_THE_GROUP:
        trains = output_dir / REFERENCES[0] / f"seed{seed}"
        if trains != directory:
            pivot = trains / run_files.PIVOT
            weights = str(pivot)
    own = {"seed": seed, "output_dir": str(directory), "pivot_weights": weights}
    return Trial(name, seed, dataclasses.replace(settings, **own), pivot)
