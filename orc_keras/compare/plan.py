"""The runs of a comparison."""

import dataclasses
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from orc_keras import building, checksums, files, recipe, run_files, validation
from orc_keras.arguments import arguments_of
from orc_keras.groups import METHODS
from orc_keras.runs import RunDirectory, continuation, finished_run
from orc_keras.settings import Settings, parse

BASELINES = ("kd", "alone")  # the first trains the pivots
FLAGS, LOG = ".flags", ".log"  # behind the name of a run's directory
RESULTS = ("results.md", "results.csv", "runs.csv")
PLOTS = ("accuracy", "minutes", "steps", "size")  # .png
NOT_VARIED = ("seed", "output_dir", "overwrite", "pivot_weights")  # they differ between the runs
# What the pivot's training beforehand does not depend on.
GROUP_SETTINGS = {
    *("method", "students", "epochs"),
    *arguments_of(recipe.learning_rate_factors),
    *(name for method in METHODS.values() for name in arguments_of(method)),
}


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """A run of a comparison.

    Attributes:
        name: of its method or variant.
        settings: with its `seed`, `output_dir` and `pivot_weights`.
        pivot: the file of the pivot that another run trains for it, or None.
    """

    name: str
    settings: Settings
    pivot: Path | None = None

    @property
    def directory(self) -> RunDirectory:
        return RunDirectory(self.settings.output_dir)

    @property
    def is_finished(self) -> bool:
        return continuation.has_finished(self.directory, self.settings)


def plan(
    base: Settings,
    methods: Sequence[str],
    variants: Sequence[str],
    seeds: Sequence[int],
    output_dir: str | Path,
) -> list[PlannedRun]:
    """Returns the runs of a comparison, in starting order; arguments as in `compare`.

    Each writes to `<output_dir>/<name>/seed<n>`.

    Raises:
        ValueError: if something is impossible, or a directory holds another run.
    """
    output_dir = Path(
        os.path.realpath(output_dir)
    )  # a run must not depend on the working directory
    _check_directory(output_dir)
    if base.pivot_weights and not Path(base.pivot_weights).is_file():
        raise ValueError(f"--pivot_weights={base.pivot_weights} is not a file.")
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0 or max(seeds) >= 2**32:
        raise ValueError(f"--seeds must be different whole numbers from 0 on, not {seeds}.")
    flags = {name: [f"--method={name}"] for name in (*BASELINES, *methods)}
    for variant in variants:
        name, arguments = _split(variant)
        if _folder(name) in map(_folder, flags):
            raise ValueError(f"--variant names {name} twice; choose another name.")
        flags[name] = arguments
    by_name = {name: _settings(base, name, flags[name]) for name in flags}
    runs = [
        _planned_run(name, settings, by_name[BASELINES[0]], seed, output_dir)
        for seed in seeds
        for name, settings in by_name.items()
    ]
    for run in runs:
        for suffix in (FLAGS, LOG):
            name = Path(f"{run.directory.path}{suffix}").relative_to(output_dir)
            continuation.check_files(RunDirectory(output_dir), str(name))
        continuation.check(run.directory, run.settings)
        _check_finished(run)
    return runs


def _check_finished(run: PlannedRun):
    """Raises ValueError if a finished run is damaged, or its pivot that this one needs is gone."""
    if run.is_finished:
        finished_run(run.directory.path)
    elif run.pivot and RunDirectory(run.pivot.parents[1]).is_finished and not run.pivot.exists():
        raise ValueError(
            f"{run.pivot} is missing, from which {run.name} begins; put it back, or choose another "
            "--output_dir."
        )
    elif run.pivot and run.pivot.exists():
        checksums.check_in_run(run.pivot)


def _check_directory(path: Path):
    """Raises ValueError if a comparison would overwrite what is not its own."""
    continuation.check_place(path)
    if (path / run_files.SETTINGS).exists():
        raise ValueError(f"--output_dir={path} holds a run; choose one for the comparison.")
    has_files = any(each.is_file() for each in path.rglob("*"))
    # The first thing that a comparison writes, whole or not.
    if has_files and not any(path.glob(f"{BASELINES[0]}/*seed*{FLAGS}")):
        raise ValueError(f"--output_dir={path} holds files that are not of a comparison.")
    files.check_kinds(path)
    continuation.check_files(RunDirectory(path), *RESULTS, *(f"{name}.png" for name in PLOTS))


def _split(variant: str) -> tuple[str, list[str]]:
    """Returns the name and the flags of a variant, which are quoted as in a shell."""
    match = re.fullmatch(r"\s*(\w[^:/|]*?)\s*:\s*(\S.*)", variant)
    if not match or len(match[1].encode()) > 200:  # a name of files, whose limit is 255
        raise ValueError(
            "--variant must be like '<name>: --flag=value', with a name that begins with a "
            f"letter or digit, has no '/' or '|' and at most 200 bytes, not {variant!r}."
        )
    if Path(match[1]).suffix in (".md", ".csv", ".png"):
        raise ValueError(
            f"--variant names {match[1]}; the comparison's own files end in .md, .csv and .png."
        )
    try:
        return match[1], shlex.split(match[2])
    except ValueError as error:
        raise ValueError(f"--variant={variant!r} has wrong quotation marks: {error}.") from None


def _folder(name: str) -> str:
    return name.replace(" ", "_")


def _settings(base: Settings, name: str, flags: list[str]) -> Settings:
    """Returns the settings `base` changed by flags, if they are possible."""
    try:
        settings = parse([*base.as_flags().splitlines(), *flags])
        unvaried = dataclasses.replace(base, output_dir="", overwrite=False)  # not in `as_flags`
        for flag in NOT_VARIED:
            if getattr(settings, flag) != getattr(unvaried, flag):
                raise ValueError(f"--{flag} cannot be varied.")
        validation.check_networks(settings)
        validation.check_dataset_size(settings)
        validation.check_method(settings)
        validation.check_pivot_is_trained(settings)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return settings


def _planned_run(
    name: str, settings: Settings, baseline: Settings, seed: int, output_dir: Path
) -> PlannedRun:
    directory = output_dir / _folder(name) / f"seed{seed}"
    pivot = output_dir / BASELINES[0] / f"seed{seed}" / run_files.PIVOT
    is_shared = (
        name != BASELINES[0]
        and building.trains_pivot(settings)
        and _pivot_settings(settings) == _pivot_settings(baseline)
    )
    weights = settings.pivot_weights if METHODS[settings.method].trains_pivot_first else ""
    settings = dataclasses.replace(
        settings,
        seed=seed,
        output_dir=str(directory),
        pivot_weights=str(pivot) if is_shared else weights,
    )
    return PlannedRun(name, settings, pivot if is_shared else None)


def _pivot_settings(settings: Settings) -> dict[str, str]:
    """Returns the settings that the pivot's training before the group depends on."""
    identity = {n: text for n, text in settings.identity().items() if n not in GROUP_SETTINGS}
    decays = recipe.whole_epochs(settings.decay_epochs, settings.pivot_epochs)
    return identity | {"decay_epochs": str(decays)}
