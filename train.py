"""Trains a group: python train.py --flagfile=configs/digits.flags"""

import dataclasses
import signal
import sys

from absl import flags

from orc_keras import startup

startup.quietly()

import tensorflow as tf

from orc_keras import command_line, experiment
from orc_keras.distribution import workers
from orc_keras.runs.directory import RunDirectory
from orc_keras.training.signals import Stopped


def main(argv):
    if len(argv) > 1:
        sys.exit(f"train.py: {argv[1]!r} is not a flag; see python train.py --help.")
    try:
        settings = command_line.from_flags()
    except ValueError as error:
        sys.exit(f"train.py: {error}")
    directory = RunDirectory(settings)
    try:
        train(dataclasses.replace(settings, output_dir=str(directory.path)))
    except FloatingPointError as error:  # a loss or a logit
        sys.exit(f"train.py: {error}")
    except (Stopped, KeyboardInterrupt) as error:
        number = getattr(error, "signal_number", signal.SIGINT)
        name = signal.Signals(number).name
        print(f"train.py: stopped by {name}; {directory.how_to_continue()}.", file=sys.stderr)
        sys.exit(128 + number)  # the exit code of a process ended by the signal
    except (MemoryError, tf.errors.ResourceExhaustedError):
        sys.exit(
            "train.py: the memory is too small for this group; a smaller --batch_size or "
            f"--image_size takes less. What was saved before is in {directory.path}."
        )
    except tf.errors.OpError as error:
        if not workers.lost_one(error):
            raise
        sys.exit(
            "train.py: another worker has stopped, or its machine cannot be reached; "
            f"{directory.how_to_continue()} from the last save, on all of them."
        )
    except OSError as error:
        sys.exit(
            f"train.py: {error}; what was saved before is there, {directory.how_to_continue()}."
        )


def train(settings):
    try:
        run = experiment.prepare(settings)
    except (ValueError, OSError) as error:
        sys.exit(f"train.py: {error}")
    run()


if __name__ == "__main__":
    command_line.define_flags()
    flags.adopt_module_key_flags(command_line)
    command_line.start(main, "train.py")
