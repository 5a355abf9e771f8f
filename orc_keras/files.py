"""Files: atomic writing, reading, JSON, locks, checksums."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import tensorflow as tf

Contents = TypeVar("Contents")
UNFINISHED = ".orc-keras-unfinished-"  # prefix of what is being written


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A context that gives a path for a file or a directory, which then replaces `path`.

    What was written is synced to disk first; where that fails, the earlier `path` remains.
    """
    unfinished = path.with_name(f"{UNFINISHED}{path.name[-50:]}")  # a name has at most 255 bytes
    delete(unfinished)
    try:
        yield unfinished
        for written in (*unfinished.rglob("*"), unfinished):  # a file: only itself
            _sync(written)
        if unfinished.is_dir():
            delete(path)
        os.replace(unfinished, path)
        _sync(path.parent)
    except tf.errors.OpError as error:  # from TensorFlow's own writing
        raise OSError(f"{path} cannot be written: {error}") from error
    except OSError as error:
        if error.errno and not error.filename:  # a full disk's
            error.filename = str(path)
        raise
    finally:
        delete(unfinished)


@contextlib.contextmanager
def without_patterns(path: Path) -> Iterator[str]:
    """A context that gives another path of a directory, in which nothing is a pattern.

    TensorFlow takes brackets, `*`, `?` and backslashes in the path that it loads from for one.
    """
    if not re.search(r"[][*?\\]", str(path.absolute())):
        yield str(path)  # where temporary files lie, there may be some
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "link")
        link.symlink_to(path.absolute())
        yield str(link)


def write_text(path: Path, text: str):
    """Writes a file in UTF-8, whole or not at all."""
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def delete(path: Path):
    """Deletes a file or a whole directory, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class DamagedFile(ValueError):
    """A file of ours is missing, or is not what was written."""


def read(path: Path, parse: Callable[[Path], Contents]) -> Contents:
    """Returns what `parse` returns of a file; DamagedFile with its path if it raises anything."""
    if not path.is_file():  # a FIFO would be waited for
        raise DamagedFile(f"{path} is {'not a file' if path.exists() else 'missing'}.")
    try:
        return parse(path)
    except Exception as error:  # the file may hold anything
        raise DamagedFile(f"{path} is damaged:\n{error}") from error


def check_kinds(directory: Path) -> None:
    """Raises DamagedFile if a directory holds anything but files and directories, as a FIFO."""
    for path in directory.rglob("*"):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise DamagedFile(f"{path} is neither a file nor a folder; delete it.")


def from_json(path: Path) -> Any:
    """Returns the contents of a JSON file."""
    return json.loads(path.read_text())


def as_json(contents: Any) -> str:
    """Returns contents as the text of a JSON file."""
    return json.dumps(contents, indent=2) + "\n"  # ASCII only


def lock(file: IO) -> bool:
    """Locks an open file; False if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # some network file systems have no locks
        return not isinstance(error, BlockingIOError)
    return True


def _sync(path: Path):
    """Syncs a file, or the entries of a directory, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
