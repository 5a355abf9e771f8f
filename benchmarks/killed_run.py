"""Kills the quickstart again and again: python benchmarks/killed_run.py --kills=100

It has three parts, and says of each which kills there were, and whether what came out is equal to
the bit to what comes out if nothing is killed:

- run: `train.py` gets SIGKILL at random moments of all that it does, from its imports to its
  report, and the same command continues it. A run is killed some ten times, then comes the next.
- compare: `orc_keras.compare`, of which the comparing process is killed, or a run, or all.
- workers: runs of two processes, of which one is killed.

Flags of train.py, for all parts, go behind `--`; the recipe is short unless they say otherwise.
The exit status is 1 if anything did not continue, or ended otherwise. It needs Linux's /proc.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from absl import app, flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

from killing import comparison, runs
from killing.children import Children, Failure
from killing.phases import PHASES

RECIPE = ("--pivot_epochs=2", "--epochs=3", "--decay_epochs=1")
OF_WORKERS = ("--pivot=resnet8", "--students=resnet8,resnet8", *RECIPE)


def define_flags(values):
    to, parts = {"flag_values": values}, ["all", *PARTS]
    compared = "How often to kill comparisons, or what they run."
    flags.DEFINE_integer("kills", 100, "How often to kill runs.", 1, **to)
    flags.DEFINE_integer("compare_kills", 6, compared, 1, **to)
    flags.DEFINE_integer("worker_kills", 4, "How often to kill one of two workers.", 1, **to)
    flags.DEFINE_integer("seed", 0, "Of the moments.", **to)
    flags.DEFINE_integer("jobs", 2, "How many runs to kill at once, in the part run.", 1, **to)
    flags.DEFINE_enum("part", "all", parts, "What to kill.", **to)
    what = "Where all is to lie and stay; empty: a temporary one."
    flags.DEFINE_string("directory", "", what, **to)


def main(values, arguments):
    # Deleted only if all was equal: otherwise someone will want to look.
    directory = Path(values.directory or tempfile.mkdtemp(prefix="killed_run-")).resolve()
    if directory.is_dir() and os.listdir(directory):
        sys.exit(f"--directory={directory} is not empty.")
    found = []
    for part in PARTS if values.part == "all" else (values.part,):
        print(f"\n{part}: its files lie in {directory / part}/", flush=True)
        found += _made(part, values, directory / part, arguments)
    if found:
        sys.exit(f"\n{len(found)} things were not as they should be; {directory}/ is left.")
    print("\nAll that was killed continued, and ended equal to the bit.")
    if not values.directory:
        shutil.rmtree(directory)


def _made(part, values, directory, arguments):
    """Makes a part, prints the table of its kills, and returns what was wrong."""
    try:
        found, counts = PARTS[part](values, Children(directory), directory, arguments)
    except Failure as failure:
        sys.exit(f"{failure}\nIts files are left in {directory}/.")
    _show(counts, len(found))
    return found


def _show(counts, complaints):
    """Prints how often what was killed."""
    rows = [name for name in (*PHASES, *comparison.VICTIMS) if counts[name]]
    width = max(map(len, rows), default=0)
    print("\n" + "\n".join(f"{name:{width}} {counts[name]:4}" for name in rows))
    print(f"{counts.total()} kills; {complaints} complaints.", flush=True)


def _runs(values, children, directory, arguments):
    how = (values.kills, values.seed, values.jobs)
    return runs.kill(children, directory, (*RECIPE, *arguments), *how)


def _comparisons(values, children, directory, arguments):
    how = (values.compare_kills, values.seed)
    return comparison.kill_comparisons(children, directory, arguments, *how)


def _workers(values, children, directory, arguments):
    how = (values.worker_kills, values.seed)
    return runs.kill(children, directory, (*OF_WORKERS, *arguments), *how, workers=2)


PARTS = {"run": _runs, "compare": _comparisons, "workers": _workers}


def _ended_by_signals(arguments):
    """Ends in order when it is killed itself, so that none of its children goes on."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    main(flags.FLAGS, arguments[1:])


if __name__ == "__main__":
    define_flags(flags.FLAGS)
    app.run(_ended_by_signals)
