"""Atomic writing: a file is complete or absent, even if the process or the machine dies."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

UNFINISHED = "unfinished-"  # prefix of what is being written


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A context that gives a path for a file or a directory, which then replaces `path`.

    What was written is synced to disk first.

    Raises:
        OSError: if it cannot be written; the earlier `path` remains.
    """
    unfinished = path.with_name(f"{UNFINISHED}{path.name}")
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
    finally:
        delete(unfinished)


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


def _sync(path: Path):
    """Syncs a file, or the entries of a directory, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
