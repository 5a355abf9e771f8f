"""A comparison from its plan to its tables and plots."""

import tensorflow as tf

from orc_keras.compare import DETECTED, plan, plots, results, running, tables


def compare(base, methods, variants, seeds, directory, jobs=0, detect=DETECTED):
    """Makes the runs of a comparison that are missing, and writes and prints what came out.

    Args:
        base: the `Settings` that all runs share.
        methods, variants, seeds: as in `plan.plan`.
        directory: where runs, tables and plots go, a `Path`.
        jobs: runs at once; 0: one on GPUs, one for each core on CPUs.
        detect: percentage points, as in `tables.markdown`.

    Raises:
        ValueError: if something is impossible, or runs failed.
        KeyboardInterrupt: if a signal stopped it.
    """
    tf.config.set_visible_devices([], "GPU")  # leave their memory to the runs
    runs = plan.plan(base, methods, variants, seeds, directory)
    failed = running.run_all(runs, jobs or min(running.default_jobs(), len(runs)))
    show(runs, directory, detect)
    if failed:
        raise ValueError(f"{len(failed)} of {len(runs)} runs failed; the same command tries again.")


def show(runs, directory, detect):
    """Writes and prints the results of the runs that have finished."""
    figures = results.of_runs(runs)
    if not figures:
        return
    results.write(figures, directory / "runs.csv")
    curves, of_runs = results.curves(runs), results.Results(figures)
    unfinished = len(runs) - len({(each.name, each.seed) for each in figures})
    print(f"\n{tables.write(of_runs, directory, detect, unfinished)}")
    plots.write(of_runs, curves, directory)
    print(f"{directory}/ has this as results.md and .csv, every run in runs.csv, and four plots.")
