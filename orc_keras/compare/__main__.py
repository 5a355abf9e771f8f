"""Compares methods on the members, images and recipe of a flagfile.

python -m orc_keras.compare --flagfile=configs/digits.flags --seeds=0,1,2 --output_dir=runs/compare

Trains every method with every seed, continues interrupted runs, and writes tables (Markdown and
CSV) and plots to --output_dir. The tables say which differences can be told from chance. All runs
of a seed start from the same weights and see the same images in the same order. They share a
trained pivot, unless a variant changes its training.
"""

import sys
from pathlib import Path

from absl import flags

from orc_keras import startup

startup.quietly()

import tensorflow as tf

from orc_keras import command_line
from orc_keras.compare import plan, plots, results, running, tables

FLAGS = flags.FLAGS
SET_HERE = {"method": "methods", "seed": "seeds"}


def main(argv):
    tf.config.set_visible_devices([], "GPU")  # leave their memory to the runs
    try:
        runs, jobs = _planned(argv)
        failed = running.run_all(runs, jobs)
        _show(runs)
    except KeyboardInterrupt as stop:
        print("compare: stopped; the same command continues.", file=sys.stderr)
        sys.exit(128 + (stop.args[0] if stop.args else 2))
    except (ValueError, OSError) as error:
        sys.exit(f"compare: {error}")
    if failed:
        sys.exit(
            f"compare: {len(failed)} of {len(runs)} runs failed; the same command tries again."
        )


def _show(runs):
    """Writes and prints the results."""
    figures, directory = results.of_runs(runs), _directory()
    if not figures:
        return
    results.write(figures, directory / "runs.csv")
    curves, of_runs = results.curves(runs), results.Results(figures)
    unfinished = len(runs) - len({(each.name, each.seed) for each in figures})
    print(f"\n{tables.write(of_runs, directory, FLAGS.detect, unfinished)}")
    plots.write(of_runs, curves, directory)
    print(f"{directory}/ has this as results.md and .csv, every run in runs.csv, and four plots.")


def _directory():
    return Path(FLAGS.output_dir or "runs/compare").expanduser()


def _planned(argv):
    if len(argv) > 1:
        raise ValueError(f"{argv[1]!r} is not a flag; see python -m orc_keras.compare --help.")
    for flag, instead in SET_HERE.items():
        if FLAGS[flag].present:
            raise ValueError(f"--{flag} is not for a comparison; give --{instead}.")
    base = command_line.from_flags()
    if base.overwrite:
        raise ValueError("--overwrite is not for a comparison; choose another --output_dir.")
    runs = plan.plan(base, FLAGS.methods, FLAGS.variant, _seeds(), _directory())
    return runs, FLAGS.jobs or min(running.default_jobs(), len(runs))


def _seeds():
    try:
        return [int(seed) for seed in FLAGS.seeds]
    except ValueError:
        raise ValueError(f"--seeds must be whole numbers, not {','.join(FLAGS.seeds)!r}.") from None


if __name__ == "__main__":
    command_line.define_flags()
    flags.adopt_module_key_flags(command_line)
    flags.DEFINE_list(
        "methods",
        list(plan.METHODS),
        "Methods to compare, of --method's choices; kd and alone, with which all others are "
        "compared, are always there.",
    )
    flags.DEFINE_multi_string(
        "variant",
        [],
        "Something else to compare, '<name>: --flag=value ...', such as 'beta 0.9: "
        "--distillation_weight=0.9'; may be given several times.",
    )
    flags.DEFINE_list("seeds", ["0", "1", "2", "3", "4"], "Seeds, each of which all methods have.")
    flags.DEFINE_float(
        "detect",
        tables.DETECTED,
        "Difference, in percentage points, for which the table says how many seeds would tell it "
        "from chance.",
        1e-3,
        100,
    )
    flags.DEFINE_integer("jobs", 0, "Runs at once; 0: one on GPUs, one for each core on CPUs.", 0)
    command_line.start(main, "compare")
