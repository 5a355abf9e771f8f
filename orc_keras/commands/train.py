"""Trains a group of networks, evaluates its members and exports the student.

    orc-keras train --flagfile=digits --output_dir=runs/digits

--flagfile names a file of flags, or one in configs/; flags behind it replace its own. The same
command continues an interrupted run. No positional arguments.
"""

import dataclasses
import errno
import os
import signal
from typing import Any

from absl import flags

from orc_keras import startup
from orc_keras.command_line import CommandError


def define_flags(flag_values: flags.FlagValues) -> None:
    startup.import_tensorflow_quietly()
    from orc_keras import settings  # imports TensorFlow

    settings.define_flags(flag_values)
    help = "Make some steps, say what the run will take on this machine, and end."
    flags.DEFINE_boolean("estimate", False, help, flag_values=flag_values)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    from orc_keras.settings import from_flags

    train(from_flags(flag_values), flag_values.estimate)


def train(settings: Any, only_estimate: bool = False) -> None:
    """Trains by settings, or estimates what that takes; what stops it is a `CommandError`."""
    import tensorflow as tf

    from orc_keras import experiment
    from orc_keras.distribution import workers
    from orc_keras.estimate import estimate
    from orc_keras.runs import continuation, directory_of
    from orc_keras.training.signals import Stopped

    directory = directory_of(settings)
    again = continuation.how_to_continue(directory, settings)
    wanted, settings = settings, dataclasses.replace(settings, output_dir=str(directory.path))
    try:
        if only_estimate:
            estimate(settings)
            return
        run = experiment.prepare(settings)
        is_written = directory.has_begun  # not by a worker other than the chief
        try:
            run()
        except Exception as error:
            if sentence := continuation.why_it_ended(directory, wanted, error, is_written):
                raise CommandError(sentence) from error
            if isinstance(error, ValueError):  # prepare() refuses what is wrong: a fault of ours
                raise RuntimeError("The training failed.") from error
            raise
    except (Stopped, KeyboardInterrupt) as error:
        number = getattr(error, "signal_number", signal.SIGINT)
        sentence = f"stopped by {signal.Signals(number).name}; {again}."
        raise CommandError(sentence, 128 + number) from None  # the code of a process it ended
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        # TensorFlow says so of files and disks, too.
        for number in (errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT):
            if os.strerror(number) in str(error):
                raise CommandError(f"{os.strerror(number)}; after that, {again}.") from error
        raise CommandError(
            "the memory is too small for this group; a smaller --batch_size, --image_size or "
            "--memory_gb takes less, and so does --mixed_precision=bfloat16 on a GPU."
        ) from error
    except tf.errors.OpError as error:
        if not workers.is_lost_worker(error):
            raise
        lost = "another worker has stopped, or its machine cannot be reached"
        raise CommandError(f"{lost}; {again} from the last save, on all of them.") from error
