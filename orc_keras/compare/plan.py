"""Which runs a comparison consists of."""

import dataclasses
import re
import shlex
from pathlib import Path

from absl import flags

from orc_keras import settings as all_settings
from orc_keras.methods import METHODS

REFERENCES = ("alone", "kd")  # what every other method is compared with
# What may differ between runs that have the same pivot.
OF_THE_GROUP = {
    *("method", "students", "epochs"),
    *(argument for _, arguments in METHODS.values() for argument in arguments),
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One training of a comparison.

    Attributes:
        variant: the name of what is compared, a method's or one that the user gave.
        seed: of the run.
        settings: `Settings`, `output_dir` and `pivot_weights` included.
        pivot: the file of the pivot that another run trains for this one, or None.
    """

    variant: str
    seed: int
    settings: all_settings.Settings
    pivot: Path | None

    @property
    def directory(self):
        return Path(self.settings.output_dir)


def plan(base, methods, variants, seeds, output_dir):
    """Returns the runs of a comparison, in the order in which to start them.

    Args:
        base: `Settings` that all of them have in common.
        methods: names of methods; `alone` and `kd` are added where they are missing.
        variants: other settings to compare, each as text, `"<name>: --flag=value ..."`.
        seeds: whole numbers, all different.
        output_dir: where the runs' directories are to lie, `<variant>/seed<n>`.

    Raises:
        ValueError: if a method, a variant or a seed is impossible.
    """
    compared = _compared(methods, variants)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds must be different whole numbers, not {seeds}.")
    of_variants = {name: _with_flags(base, name, given) for name, given in compared.items()}
    return [
        _run(base, name, settings, seed, Path(output_dir))
        for seed in seeds
        for name, settings in of_variants.items()
    ]


def _compared(methods, variants):
    """Returns the flags of each thing that is compared, by its name, the references first."""
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"--methods={method} is unknown; possible are {', '.join(METHODS)}.")
    names = dict.fromkeys(("kd", "alone", *methods))  # kd first: it trains the pivots
    compared = {name: [f"--method={name}"] for name in names}
    for variant in variants:
        found = re.fullmatch(r"\s*([^:/]*[^:/\s])\s*:(.*)", variant)
        if not found:
            raise ValueError(f"--variant must be like '<name>: --flag=value', not {variant!r}.")
        name, given = found[1], shlex.split(found[2])
        if name in compared:
            raise ValueError(f"--variant: {name} is there twice; give each another name.")
        compared[name] = given
    return compared


def _with_flags(base, name, given):
    """Returns the settings `base`, changed by flags."""
    values = flags.FlagValues()
    all_settings.define_flags(values)
    try:
        rest = values(["", *base.as_flags().splitlines(), *given])[1:]
    except flags.Error as error:
        raise ValueError(f"--variant={name}: {error}") from None
    if rest:
        raise ValueError(f"--variant={name}: {rest[0]!r} is not a flag.")
    return dataclasses.replace(all_settings.from_flags(values), output_dir=base.output_dir)


def _run(base, name, settings, seed, output_dir):
    directory = output_dir / name.replace(" ", "_") / f"seed{seed}"
    changed = {
        field.name
        for field in dataclasses.fields(settings)
        if getattr(settings, field.name) != getattr(base, field.name)
    }
    learns = METHODS[settings.method][0].pivot_learns_before and not settings.pivot_weights
    pivot = None
    if learns and settings.pivot_epochs and name != "kd" and changed <= OF_THE_GROUP:
        pivot = output_dir / "kd" / f"seed{seed}" / "checkpoints" / "pivot.keras"
    weights = str(pivot) if pivot else settings.pivot_weights
    own = {"seed": seed, "output_dir": str(directory), "pivot_weights": weights}
    return Run(name, seed, dataclasses.replace(settings, **own), pivot)
