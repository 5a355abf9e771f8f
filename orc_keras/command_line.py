"""How a command runs: its flags, help, and errors in one sentence."""

import contextlib
import faulthandler
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType

import absl.logging
from absl import flags

from orc_keras import startup
from orc_keras.flag_parsing import set_flags
from orc_keras.formatting import printable


class CommandError(Exception):
    """Ends a command with a sentence and an exit code, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


def run(command: ModuleType, arguments: list[str], program: str) -> None:
    """Runs a command; exits with one sentence if a flag, a file or the data is wrong.

    Args:
        command: a module like those in `orc_keras/commands`.
        arguments: what stands behind its name on the command line.
        program: what messages begin with.
    """
    with errors_as_sentences(program):
        flag_values = flags.FlagValues()
        command.define_flags(flag_values)
        if {"--help", "-h"} & {*arguments}:
            for name in flag_values:
                flag_values.register_key_flag_for_module("flags", flag_values[name])
            print(f"{command.__doc__}{flag_values.module_help('flags')}")
            return
        command.main(flag_values, parse(command, flag_values, arguments, program))


@contextlib.contextmanager
def errors_as_sentences(program: str) -> Iterator[None]:
    """A context for a whole program, which it ends with a sentence if something is wrong.

    Where standard output is closed, nothing is printed; where its reader has ended, as `| head`
    does, nothing is said.
    """
    startup.open_closed_streams()
    faulthandler.enable()
    absl.logging.set_verbosity(absl.logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    warnings.showwarning = lambda message, *_: print(
        f"{program}: {printable(message)}", file=sys.stderr
    )
    try:
        with _flushing():
            yield
    except BrokenPipeError:
        sys.exit(1)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("orc_keras"):
            raise
        sys.exit(f"{program}: {error.name} is not installed; pip install 'orc-keras[all]'.")
    except (CommandError, ValueError, OSError, FloatingPointError) as error:
        print(f"{program}: {printable(error)}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 1))
    except MemoryError:
        sys.exit(f"{program}: the memory is too small.")
    except KeyboardInterrupt:
        print(f"{program}: stopped by SIGINT.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


@contextlib.contextmanager
def _flushing() -> Iterator[None]:
    """A context that prints all that is to be printed, or fails, before Python ends."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # not tried once more
            raise


def parse(
    command: ModuleType, flag_values: flags.FlagValues, arguments: list[str], program: str
) -> list[str]:
    """Sets flags by a command line; returns its positional arguments.

    Raises:
        ValueError: if a flag is unknown, wrong or missing, or the positional arguments are; if a
            flagfile cannot be used.
    """
    rest = set_flags(flag_values, arguments)
    for name in flag_values:
        if flag_values[name].value is None:
            raise ValueError(f"--{name} is missing: {flag_values[name].help}")
    wanted = getattr(command, "ARGUMENTS", "")
    if rest and not wanted:
        raise ValueError(f"{rest[0]!r} is not a flag; see {program} --help.")
    if wanted and not rest:
        raise ValueError(f"name {wanted}; see {program} --help.")
    return rest


def define_image_flags(flag_values: flags.FlagValues, dataset_help: str) -> None:
    """Defines the flags by which the commands for finished runs are told where images are."""
    flags.DEFINE_string("dataset", "", dataset_help, flag_values=flag_values)
    help = "Folder of TensorFlow Datasets; empty: that of the run, or the usual one."
    flags.DEFINE_string("data_dir", "", help, flag_values=flag_values)
    help = "Modules of yours to import first, if networks have layers that these register."
    flags.DEFINE_list("modules", [], help, flag_values=flag_values)


def import_modules(flag_values: flags.FlagValues) -> None:
    """Imports TensorFlow, and then what `--modules` names: no file of a run may ask for that."""
    startup.import_tensorflow_quietly()
    from orc_keras.networks import import_code

    for module in flag_values.modules:
        import_code(module)
