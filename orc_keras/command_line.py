"""How a command runs: its flags, flagfiles by name, help, and errors in one sentence."""

import dataclasses
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
from orc_keras.settings import Settings, check_commas

CONFIGS = Path(__file__).parent / "configs"


class CommandError(Exception):
    """Ends a command with a sentence and an exit code, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


def module_of(name: str) -> ModuleType:
    """Returns the module of a command, in `orc_keras/commands`."""
    return importlib.import_module(f"orc_keras.commands.{name.replace('-', '_')}")


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


def define_flags(flag_values=flags.FLAGS):
    """Defines a flag for each field of `Settings`, which checks the ranges."""
    define = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
        tuple: flags.DEFINE_list,
    }
    to = {"flag_values": flag_values}
    for field in dataclasses.fields(Settings):
        argument = field.metadata["of"]
        kind, default = type(argument.default), argument.default
        if argument.choices and kind is str:
            flags.DEFINE_enum(field.name, default, argument.choices, argument.help, **to)
        else:
            default = list(map(str, default)) if kind is tuple else default
            define[kind](field.name, default, argument.help, **to)


def from_flags(flag_values=flags.FLAGS):
    """Returns the `Settings` of the parsed flags.

    Raises:
        ValueError: if a flag is missing or out of its range.
    """
    values = {field.name: flag_values[field.name].value for field in dataclasses.fields(Settings)}
    for name in ("data_dir", "output_dir", "pivot_weights"):
        values[name] = os.path.expanduser(values[name])  # a shell does not, after --flag=
    for name in ("students", "augmentation", "teachings"):
        values[name] = tuple(values[name])
    _make_numbers(values, "decay_epochs", int, "whole numbers")
    _make_numbers(values, "student_learning_rates", float, "numbers")
    return Settings(**values)


def _make_numbers(values, name, kind, what):
    """Turns a list of texts in `values` into numbers."""
    check_commas(name, values[name])
    try:
        values[name] = tuple(map(kind, values[name]))
    except ValueError:
        given = ",".join(values[name])
        raise ValueError(f"--{name} must be {what}, not {given!r}.") from None


def from_text(text):
    """Returns the `Settings` in the text of a flagfile, whatever this process's flags are.

    Args:
        text: its contents, as `Settings.as_flags` writes them.

    Raises:
        ValueError: if they are not settings.
    """
    return parsed(text.splitlines())


def parsed(arguments):
    """Returns the `Settings` in a list of flags, whatever this process's flags are.

    Args:
        arguments: the flags, as text.

    Raises:
        ValueError: if one of them is not a flag, or out of its range.
    """
    values = flags.FlagValues()
    define_flags(values)
    try:
        rest = values(["", *arguments])[1:]
    except (flags.Error, UnicodeError) as error:
        raise ValueError(in_one_line(error)) from None
    if rest:
        raise ValueError(f"{rest[0]!r} is not a flag.")
    return from_flags(values)
