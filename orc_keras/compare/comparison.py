"""A comparison from its plan to its tables and plots."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from orc_keras import startup
from orc_keras.compare import EFFECT, plots, results, running, tables
from orc_keras.compare.plan import plan
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
    if not jobs:
        jobs = 1 if tf.config.list_physical_devices("GPU") else len(startup.cores())
    tf.config.set_visible_devices([], "GPU")  # leave their memory to the runs
    runs = plan(base, methods, variants, seeds, directory)
    failed = running.train(runs, min(jobs, len(runs)))
    if rows := results.member_results(runs):
        results.write(rows, directory / "runs.csv")
        compared = results.Results(rows)
        print(f"\n{tables.write(compared, directory, effect)}")
        plots.write(compared, results.learning_curves(runs), directory)
        print(f"{directory}/ has results.md, results.csv, runs.csv and four plots.")
    if failed:
        raise ValueError(f"{len(failed)} of {len(runs)} runs failed; the same command tries again.")
