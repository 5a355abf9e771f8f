"""Trains a group: python train.py --flagfile=configs/digits.flags"""

import os
import signal
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no wall of start-up messages

from absl import app, flags

from orc_keras import experiment, settings, startup, workers
from orc_keras.continuing import Stopped

import tensorflow as tf  # isort: skip  (orc_keras keeps its import quiet)


def main(argv):
    startup.log_warnings_only()
    if len(argv) > 1:
        sys.exit(f"train.py: {argv[1]!r} is not a flag; see python train.py --help.")
    try:
        train()
    except FloatingPointError as error:  # a loss or a logit
        sys.exit(f"train.py: {error}")
    except (Stopped, KeyboardInterrupt) as error:
        number = getattr(error, "signal_number", signal.SIGINT)
        name = signal.Signals(number).name
        print(f"train.py: stopped by {name}; the same command continues.", file=sys.stderr)
        sys.exit(128 + number)  # as if the signal had ended it, which it has
    except tf.errors.OpError as error:
        if not workers.lost_one(error):
            raise
        sys.exit(
            "train.py: another worker has stopped, or its machine cannot be reached; the same "
            "command on all of them continues from the last save."
        )
    except OSError as error:
        sys.exit(f"train.py: {error}; what was saved before is there, the same command continues.")


def train():
    try:
        run = experiment.prepare(settings.from_flags())
    except (ValueError, OSError) as error:
        sys.exit(f"train.py: {error}")
    run()


if __name__ == "__main__":
    settings.define_flags()
    flags.adopt_module_key_flags(settings)
    app.run(main)
