"""Kills the quickstart again and again: python benchmarks/killed_run.py

Runs configs/digits.flags once as it is and once with SIGKILL at random moments, continued each
time, and compares weights, momentum and histories of the two to the bit. Other flags of train.py
go behind `--`.
"""

import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from orc_keras.saves import Saves

STAGES = ("pivot", "group")


def main(arguments):
    with tempfile.TemporaryDirectory() as directory:
        whole, killed = Path(directory) / "whole", Path(directory) / "killed"
        started = time.monotonic()
        start(whole, arguments[1:]).wait()
        seconds = time.monotonic() - started
        print(f"The run that was not killed took {seconds:.0f} seconds.")
        kill(killed, arguments[1:], seconds)
        sys.exit(compare(whole, killed))


def start(directory, arguments):
    """Starts a run of the quickstart that writes to `directory`."""
    command = [sys.executable, "train.py", "--flagfile=configs/digits.flags", "--deterministic"]
    command += ["--save_every=7 steps", *arguments, f"--output_dir={directory}"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def kill(directory, arguments, seconds):
    """Kills and continues a run until it has been killed often enough, and then lets it end."""
    rng, moments = random.Random(flags.FLAGS.seed), collections.Counter()
    while moments.total() < flags.FLAGS.kills:
        process = start(directory, arguments)
        time.sleep(rng.uniform(0.05, 0.35) * seconds)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            print("It came to its end before the last kills; --kills was too many.")
            break
        stages = [stage for stage in STAGES if saves(directory, stage).read()[2]]
        moments[stages[-1] if stages else "start"] += 1
    print(f"Killed {moments.total()} times; newest save then: {dict(moments)}.")
    start(directory, arguments).wait()


def saves(directory, stage):
    return Saves(directory / "checkpoints", stage)


def compare(whole, killed):
    """Prints how many values differ; returns 1 if any does, else 0."""
    different = 0
    for stage in STAGES:
        ours, theirs = (saves(directory, stage).read()[2] for directory in (whole, killed))
        names = [name for name in ours if name != "seconds"]
        unequal = [n for n in names if not np.array_equal(ours[n], theirs[n])]
        numbers = sum(np.size(ours[name]) for name in names)
        print(f"{stage}: {len(names)} variables, {numbers:,} numbers; {len(unequal)} differ.")
        different += len(unequal)
    for name in ("pivot_history.csv", "history.csv"):
        equal = (whole / name).read_bytes() == (killed / name).read_bytes()
        print(f"{name}: {'equal' if equal else 'different'}.")
        different += not equal
    return int(bool(different))


if __name__ == "__main__":
    flags.DEFINE_integer("kills", 8, "How often to kill the run.")
    flags.DEFINE_integer("seed", 0, "Of the moments.")
    app.run(main)
