"""Files that are written whole or not at all, whenever the process or the machine dies."""

import contextlib
import os
import shutil

import tensorflow as tf

UNFINISHED = "unfinished-"  # begins the name of what is being written


@contextlib.contextmanager
def replacing(path):
    """Gives a path to write to, a file's or a directory's, which then takes the place of `path`.

    What was written is brought to the disk first.

    Raises:
        OSError: if it cannot be written; what was there before still is.
    """
    unfinished = path.with_name(f"{UNFINISHED}{path.name}")
    delete(unfinished)
    try:
        yield unfinished
        for written in (*unfinished.rglob("*"), unfinished):  # of a file, it alone
            _to_disk(written)
        if unfinished.is_dir():
            delete(path)
        os.replace(unfinished, path)
        _to_disk(path.parent)
    except tf.errors.OpError as error:  # of TensorFlow's own writing
        raise OSError(f"{path} cannot be written: {error.message}") from error
    finally:
        delete(unfinished)


def delete(path):
    """Deletes a file or a directory with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _to_disk(path):
    """Waits until a file, or the names in a directory, are on the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
