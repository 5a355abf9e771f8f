"""Checksums of the files of a run, in the format of `sha256sum --check`."""

import hashlib
from pathlib import Path

from orc_keras.runs.names import SUMS


def of(paths):
    """Returns the contents of a checksum file.

    Args:
        paths: the paths of the files, by their names in it.
    """
    return _text({name: of_file(path) for name, path in paths.items()})


def renewed(directory, written):
    """Returns the contents of a directory's checksum file after some of its files changed.

    Args:
        directory: a `Path`.
        written: paths of the files, or of directories of such. Of them those that are listed get
            their new checksum, and all others keep theirs.
    """
    sums = read(directory)
    for name in sums:
        path = directory / name
        if path.is_file() and not {path, *path.parents}.isdisjoint(written):
            sums[name] = of_file(path)
    return _text(sums)


def _text(sums):
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items())


def check(directory, name):
    """Refuses a file that is missing, damaged, or not the one that was written.

    Args:
        directory: a `Path`.
        name: of the file, relative to it.

    Returns:
        The file's path.

    Raises:
        ValueError: if it is one of these; the message names the file.
    """
    path = Path(directory) / name
    sums = read(directory)
    if not path.is_file():
        raise ValueError(f"{path} is missing.")
    if sums.get(name) != of_file(path):
        raise ValueError(f"{path} is damaged, or not of this run: {SUMS} has another checksum.")
    return path


def missing(directory):
    """Returns the names of files that are listed but missing; errors as in `check`."""
    return [name for name in read(directory) if not (Path(directory) / name).exists()]


def read(directory):
    """Returns the checksums of a directory's files by name; errors as in `check`."""
    path = Path(directory) / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged.") from error


def of_file(path):
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
