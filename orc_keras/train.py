"""Trains a group: orc-train --flagfile=digits"""

import dataclasses
import signal
import sys

from absl import flags

from orc_keras import command_line, startup

NAME = command_line.name_of("train.py")

flags.DEFINE_boolean(
    "estimate", False, "Make some steps, say what the run will take on this machine, and end."
)


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{NAME}: {argv[1]!r} is not a flag; see {NAME} --help.")
    try:
        settings = command_line.from_flags()
    except ValueError as error:
        sys.exit(f"{NAME}: {error}")
    startup.quietly()
    _run(settings, flags.FLAGS["estimate"].value)


def _run(settings, only_estimate):
    import tensorflow as tf

    from orc_keras import estimate, experiment
    from orc_keras.distribution import workers
    from orc_keras.runs.directory import RunDirectory
    from orc_keras.training.signals import Stopped

    directory = RunDirectory(settings)
    settings = dataclasses.replace(settings, output_dir=str(directory.path))
    try:
        try:
            run = (estimate if only_estimate else experiment).prepare(settings)
        except (ValueError, OSError) as error:
            sys.exit(f"{NAME}: {error}")
        run()
    except FloatingPointError as error:  # a loss or a logit
        sys.exit(f"{NAME}: {error}")
    except (Stopped, KeyboardInterrupt) as error:
        number = getattr(error, "signal_number", signal.SIGINT)
        name = signal.Signals(number).name
        print(f"{NAME}: stopped by {name}; {directory.how_to_continue()}.", file=sys.stderr)
        sys.exit(128 + number)  # the exit code of a process ended by the signal
    except (MemoryError, tf.errors.ResourceExhaustedError):
        sys.exit(
            f"{NAME}: the memory is too small for this group; a smaller --batch_size or "
            "--image_size takes less, on a GPU --mixed_precision=bfloat16, in the main memory a "
            f"smaller --memory_gb. What was saved before is in {directory.path}."
        )
    except tf.errors.OpError as error:
        if not workers.lost_one(error):
            raise
        sys.exit(
            f"{NAME}: another worker has stopped, or its machine cannot be reached; "
            f"{directory.how_to_continue()} from the last save, on all of them."
        )
    except OSError as error:
        sys.exit(f"{NAME}: {error}; what was saved before is there, {directory.how_to_continue()}.")


def program():
    """Runs the program, as the command `orc-train` does."""
    command_line.define_flags()
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
