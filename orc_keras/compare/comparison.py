"""A comparison from its plan to its tables and plots."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from orc_keras.compare import EFFECT, plots, results, running, tables
from orc_keras.compare.plan import PlannedRun, plan
from orc_keras.settings import Settings


def compare(
    base: Settings,
    methods: Sequence[str],
    variants: Sequence[str],
    seeds: Sequence[int],
    directory: Path,
    jobs: int = 0,
    effect: float = EFFECT,
) -> None:
    """Trains the runs of a comparison that are missing, and writes and prints the results.

    Args:
        base: the settings that all runs share.
        methods: names of methods; `kd` and `alone` are added if missing.
        variants: other settings to compare, as texts `"<name>: --flag=value ..."`.
        seeds: whole numbers, all different.
        directory: where runs, tables and plots go.
        jobs: runs at once; 0: one on GPUs, one for each core on CPUs.
        effect: percentage points; the tables say how many seeds make it significant.

    Raises:
        ValueError: if something is impossible, a directory holds another run, or runs failed.
        KeyboardInterrupt: if a signal stopped it.
    """
    tf.config.set_visible_devices([], "GPU")  # leave their memory to the runs
    runs = plan(base, methods, variants, seeds, directory)
    failed = running.train(runs, jobs or min(running.default_jobs(), len(runs)))
    write_results(runs, directory, effect)
    if failed:
        raise ValueError(f"{len(failed)} of {len(runs)} runs failed; the same command tries again.")


def write_results(runs: Sequence[PlannedRun], directory: Path, effect: float) -> None:
    """Writes and prints the results of the runs that have finished."""
    rows = results.member_results(runs)
    if not rows:
        return
    results.write(rows, directory / "runs.csv")
    compared = results.Results(rows)
    unfinished = len(runs) - len({(row.name, row.seed) for row in rows})
    print(f"\n{tables.write(compared, directory, effect, unfinished)}")
    plots.write(compared, results.learning_curves(runs), directory)
    print(f"{directory}/ has this as results.md and .csv, every run in runs.csv, and four plots.")
