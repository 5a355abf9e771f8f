"""Sets flags by a command line. Flagfiles are read here: absl reads whatever they name."""

import io
import os
import re
from collections.abc import Iterable
from pathlib import Path

from absl import flags

CONFIGS = Path(__file__).parent / "configs"
DIRECTIVE = re.compile(r"--?flagfile(?:=(.*))?", re.DOTALL)
MAX_BYTES, MAX_FILES = 2**20, 1000  # of all flagfiles; such that name each other have no end


def set_flags(
    flag_values: flags.FlagValues, arguments: Iterable[str], with_flagfiles: bool = True
) -> list[str]:
    """Sets flags by arguments; returns the positional ones.

    Args:
        flag_values: the flags, of which later ones win.
        arguments: what stands behind the name of a program or a command.
        with_flagfiles: whether `--flagfile=<name>` stands for the flags in that file, which may
            name others; if not, it is refused.

    Raises:
        ValueError: if a flag is unknown, wrong or without a value, or a flagfile cannot be used.
    """
    try:
        rest = flag_values(["", *_expanded(arguments, with_flagfiles)])[1:]
    except (flags.Error, UnicodeError) as error:
        raise ValueError(f"{' '.join(str(error).split()).rstrip('.')}.") from None
    for name in flag_values:  # absl takes what follows a flag for its value
        value = flag_values[name].value
        for text in value if isinstance(value, list) else [value]:
            if str(text).startswith("--"):
                raise ValueError(f"--{name} has no value: {text} follows it.")
    return rest


def _expanded(arguments: Iterable[str], with_flagfiles: bool) -> list[str]:
    """Returns arguments with the flags in each flagfile in its place."""
    waiting, expanded, sizes = [*arguments][::-1], [], []
    while waiting:
        argument = waiting.pop()
        directive = DIRECTIVE.fullmatch(argument)
        if argument == "--":  # all that follow are positional
            return [*expanded, argument, *waiting[::-1]]
        if not directive:
            expanded.append(argument)
        elif not with_flagfiles:
            raise ValueError(f"{argument} cannot stand among settings.")
        else:
            name = directive[1] or (waiting or [""]).pop()
            with open(_find(name), "rb") as file:
                contents = file.read(MAX_BYTES + 1)
            sizes.append(len(contents))
            if len(sizes) > MAX_FILES or sum(sizes) > MAX_BYTES:
                raise ValueError(
                    f"--flagfile={name} is not read: flagfiles name each other, or are more than "
                    f"{MAX_FILES}, or longer than {MAX_BYTES} bytes together."
                )
            waiting += _lines(contents, name)[::-1]
    return expanded


def _find(name: str) -> Path:
    """Returns the path of a flagfile, the user's or one of ours."""
    path = Path(os.path.expanduser(name))
    own = {path.stem: path for path in sorted(CONFIGS.glob("*.flags"))}
    if os.path.isfile(path):  # a pipe cannot be read again, and a device may have no end
        return path
    if os.path.exists(path) and not os.path.isdir(path):
        raise ValueError(f"--flagfile={name} is not a regular file; write its flags to one.")
    try:
        return own[name.removeprefix("configs/").removesuffix(".flags")]
    except KeyError:
        known = ", ".join(own)
        raise ValueError(f"--flagfile={name} is not a file, nor one of ours: {known}") from None


def _lines(contents: bytes, name: str) -> list[str]:
    """Returns the flags in a flagfile, without comments and empty lines."""
    try:
        text = contents.decode("utf-8-sig")  # Windows writes a mark at the beginning
    except UnicodeError as error:
        raise ValueError(f"--flagfile={name} must be a text in UTF-8: {error}.") from None
    lines = [line.strip() for line in io.StringIO(text, newline=None)]  # not every Unicode end
    lines = [line for line in lines if line and not line.startswith(("#", "//"))]
    if with_comment := [line for line in lines if re.search(r"\s#", line)]:
        raise ValueError(
            f"--flagfile={name} has a comment behind a value, {with_comment[0]!r}; comments stand "
            "on lines of their own."
        )
    return lines
