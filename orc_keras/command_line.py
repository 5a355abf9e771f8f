"""How a command runs: its flags, flagfiles by name, help, and errors in one sentence."""

import faulthandler
import importlib
import os
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType

from absl import flags

from orc_keras import startup

CONFIGS = Path(__file__).parent / "configs"


class CommandError(Exception):
    """Ends a command with a sentence and an exit code, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


def module_of(name: str) -> ModuleType:
    """Returns the module of a command, in `orc_keras/commands`."""
    return importlib.import_module(f"orc_keras.commands.{name.replace('-', '_')}")


def summary_of(name: str) -> str:
    """Returns the first line of the docstring of a command."""
    return (module_of(name).__doc__ or "").partition("\n")[0]


def run(name: str, arguments: list[str], program: str) -> None:
    """Runs a command; exits with one sentence if a flag, a file or the data is wrong.

    Args:
        name: the command's.
        arguments: what stands behind it on the command line.
        program: what messages begin with.
    """
    faulthandler.enable()
    startup.log_warnings_only()
    warnings.showwarning = lambda message, *_: print(f"{program}: {message}", file=sys.stderr)
    command = module_of(name)
    try:
        flag_values = flags.FlagValues()
        command.define_flags(flag_values)
        if {"--help", "-h", "-help", "--helpfull"} & {*arguments}:
            print(help_of(command, flag_values))
            return
        command.main(flag_values, parse(command, flag_values, arguments, program))
    except BrokenPipeError:  # whoever read the output has ended, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (CommandError, ValueError, OSError, FloatingPointError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 1))
    except KeyboardInterrupt:
        print(f"{program}: stopped by SIGINT.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def help_of(command: ModuleType, flag_values: flags.FlagValues) -> str:
    """Returns what `--help` prints: the docstring of the command's module, and its flags."""
    for name in flag_values:
        flag_values.register_key_flag_for_module("flags", flag_values[name])
    return f"{command.__doc__}{flag_values.module_help('flags')}"


def parse(
    command: ModuleType, flag_values: flags.FlagValues, arguments: list[str], program: str
) -> list[str]:
    """Sets flags by a command line; returns its positional arguments.

    Raises:
        ValueError: if a flag is unknown, wrong or missing, or the positional arguments are.
    """
    try:
        arguments = _with_paths(arguments)
        _check_flagfiles(arguments)
        rest = flag_values([program, *arguments])[1:]
    except flags.Error as error:
        raise ValueError(in_one_line(error)) from None
    for name in flag_values:
        if flag_values[name].value is None:
            raise ValueError(f"--{name} is missing: {flag_values[name].help}")
    wanted = getattr(command, "ARGUMENTS", "")
    if rest and not wanted:
        raise ValueError(f"{rest[0]!r} is not a flag; see {program} --help.")
    if wanted and not rest:
        raise ValueError(f"name {wanted}; see {program} --help.")
    return rest


def _with_paths(arguments):
    """Returns arguments in which the names of flagfiles of ours are replaced by their paths."""
    found = list(arguments)
    for place, argument in enumerate(arguments):
        flag, equals, name = argument.partition("=")
        if flag.lstrip("-") != "flagfile" or not flag.startswith("-"):
            continue
        if equals:
            found[place] = f"{flag}={_path_of_flagfile(name)}"
        elif place + 1 < len(arguments):  # the name is the next argument
            found[place + 1] = _path_of_flagfile(arguments[place + 1])
    return found


def _path_of_flagfile(name):
    path = os.path.expanduser(name)
    if os.path.exists(path) and not os.path.isdir(path):
        return name
    ours = {path.stem: path for path in sorted(CONFIGS.glob("*.flags"))}
    if own := ours.get(name.removeprefix("configs/").removesuffix(".flags")):
        return str(own)
    raise ValueError(f"--flagfile={name} is not a file, nor one of ours: {', '.join(ours)}")


def _check_flagfiles(arguments, seen=()):
    """Refuses flagfiles that are not text, nested ones too; absl would ignore the error."""
    for argument in arguments:
        name, _, path = argument.strip().lstrip("-").partition("=")
        path = os.path.expanduser(path)
        if name != "flagfile" or path in seen or not os.path.exists(path):
            continue
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeError):
            text = "\0"
        if "\0" in text:
            raise ValueError(f"--flagfile={path} cannot be read; it must be a text in UTF-8")
        _check_flagfiles(text.splitlines(), (*seen, path))


def in_one_line(error):
    """Returns an error's message as one sentence; absl's have line breaks."""
    return f"{' '.join(str(error).split()).rstrip('.')}."
