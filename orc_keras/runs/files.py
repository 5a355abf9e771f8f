"""Files that are written whole or not at all."""

import contextlib
import os
import shutil

import tensorflow as tf


@contextlib.contextmanager
def replacing(path):
    """Gives a path to write to, which then takes the place of `path`, whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    unfinished = path.with_name(f"unfinished-{path.name}")
    delete(unfinished)
    try:
        yield unfinished
        if unfinished.is_dir():
            delete(path)
        os.replace(unfinished, path)
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
