"""Verifies a bundle: python -m orc_keras.verify docs/results/orc

The student is evaluated on the held-out images, and its figures are compared with the recorded
ones, to the digit. --train also trains the group again, and says where the curve leaves the band of
the recorded seeds. --make=<bundle> makes a bundle of a run: python -m orc_keras.verify --make=orc
runs/compare/orc/seed0
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from absl import flags

from orc_keras import command_line, startup
from orc_keras.runs.summary import aligned

MOVED = ("dataset", "data_dir")  # where the images are, on this machine

NAME = command_line.name_of("orc_keras.verify")


def main(argv):
    given = {name: flags.FLAGS[name].value for name in ("train", *MOVED, "output_dir")}
    try:
        if len(argv) != 2:
            raise ValueError("name one bundle, or with --make=<bundle> one run.")
        startup.quietly()
        if new := os.path.expanduser(flags.FLAGS.make):
            from orc_keras.verify import bundle

            bundle.make(argv[1], new)
            print(f"{new}/ holds the run; python -m orc_keras.verify {new} verifies it.")
        elif not verify(argv[1], **given):
            sys.exit(1)
    except (ValueError, OSError) as error:
        sys.exit(f"{NAME}: {error}")


def verify(path, train=False, dataset="", data_dir="", output_dir=""):
    """Prints what was verified; returns whether all of it agrees. Arguments: as the flags."""
    from orc_keras.verify import checks

    settings = checks.settings_of(path)
    figures = checks.figures(path, dataset, data_dir)
    rows = [("", "recorded", "now"), *((name, *both) for name, both in figures.items())]
    same = all(recorded == now for recorded, now in figures.values())
    print(f"{path}: {settings.students[-1]} by --method={settings.method}\n\n{aligned(rows)}\n")
    print("The same to the digit." if same else "These figures are NOT those that were recorded.")
    if not train:
        return same
    run = Path(output_dir or f"runs/verify/{Path(path).resolve().name}").expanduser()
    moved = {"dataset": dataset, "data_dir": data_dir}
    return _trained_again(path, settings, run, moved) and same


def _trained_again(path, settings, run, moved):
    """Trains with the bundle's settings; returns whether the curve stays in the band."""
    from orc_keras.compare import running
    from orc_keras.verify import checks

    moved = [f"--{name}={value}" for name, value in moved.items() if value]
    arguments = [*settings.as_flags().splitlines(), *moved, f"--output_dir={run}"]
    command = [sys.executable, *running.TRAIN, *arguments]
    print(f"Training again, in {run}/.", flush=True)
    if code := _ended(subprocess.Popen(command)):
        sys.exit(code)  # train.py has said why
    points = checks.curve(path, run)
    head = ("epoch", "recorded", "now", "band of the seeds", "")
    print(f"\n{aligned([head, *map(_row, points)])}\n\n{_verdict(points)}")
    return _agrees(points)


def _row(point):
    band = f"{point.low:.2%} to {point.high:.2%}" if point.low == point.low else ""
    said = "outside" if point.is_outside() else ""
    return f"{point.epoch}", f"{point.recorded:.2%}", f"{point.accuracy:.2%}", band, said


def _ended(process):
    """Waits until training, which saves when it is told to stop, has ended; returns its code."""
    signal.signal(signal.SIGINT, lambda *_: None)  # a terminal sends it to both
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait()


def _agrees(points):
    same = all(point.is_recorded() for point in points)
    has_band = any(point.low == point.low for point in points)
    return same or (has_band and not any(point.is_outside() for point in points))


def _verdict(points):
    if all(point.is_recorded() for point in points):
        return "The curve is the recorded one, to the digit."
    if not any(point.low == point.low for point in points):
        return "The curve is another one, and one recorded seed makes no band to compare it with."
    outside = [f"{point.epoch}" for point in points if point.is_outside()]
    if outside:
        return f"The curve leaves the band of the recorded seeds in epoch {', '.join(outside)}."
    return "The curve is another one; nowhere does it leave the band of the recorded seeds."


def program():
    """Runs the program, as the command `orc-verify` does."""
    flags.DEFINE_boolean("train", False, "Train the group again, too.")
    flags.DEFINE_string("dataset", "", "Where the images are, as for train.py; as recorded.")
    flags.DEFINE_string("data_dir", "", "Folder of TensorFlow Datasets; empty: its usual place.")
    flags.DEFINE_string("output_dir", "", "Of the training; empty: runs/verify/<bundle's name>.")
    flags.DEFINE_string("make", "", "The bundle to make, of the run that is named.")
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
