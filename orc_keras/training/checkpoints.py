"""Saves: everything that training needs to go on as if it had never stopped."""

import hashlib
import os
import re
import shutil
from pathlib import Path

import tensorflow as tf

from orc_keras.checks import check_whole


class Saves:
    """The saves of a stage of training, a directory each: `<stage>-<epoch>-<step>/`.

    A save is written under another name, brought to the disk, and then given its own: whenever the
    process or the machine dies, the saves that have such a name are whole. They are TensorFlow's
    checkpoints, which carry a checksum of every tensor; one of the whole lies beside.

    Args:
        directory: where they are.
        stage: the beginning of their names.
        keep: how many stay, 1 or more; older ones are deleted.
        run: what the training is, as text. The checksum covers it, and the name of the save: one
            of another training, or of another stage under this one's name, is not used.

    Raises:
        ValueError: if `keep` is less than 1, or `stage` is no name.

    Example:

    >>> saves = Saves(directory, "group", keep=2)
    >>> saves.write(epoch=3, step=100, values={"momentum": 0.5})
    >>> epoch, step, values = saves.read()
    >>> epoch, step, float(values["momentum"])
    (3, 100, 0.5)
    """

    def __init__(self, directory, stage, keep=2, run=""):
        check_whole("keep", keep, lambda number: number >= 1, "1 or more")
        if not re.fullmatch(r"\w+", stage):
            raise ValueError(f"stage must be a name of letters and digits, not {stage!r}.")
        self._directory = Path(directory)
        self._stage = stage
        self._keep = keep
        self._run = run

    def write(self, epoch, step, values):
        """Writes a save, then deletes those that are too old.

        Args:
            epoch: how many epochs are complete.
            step: how many steps of the epoch after these.
            values: arrays by name.

        Raises:
            OSError: if it cannot be written; the earlier ones are still there.
        """
        check_whole("epoch", epoch, lambda number: 0 <= number < 10**6, "from 0 to 999,999")
        check_whole("step", step, lambda number: 0 <= number < 10**8, "from 0 to 99,999,999")
        path = self._directory / f"{self._stage}-{epoch:06d}-{step:08d}"
        unfinished = path.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
            _write(unfinished, values, self._key(path))
            shutil.rmtree(path, ignore_errors=True)
            os.rename(unfinished, path)
            _to_disk(self._directory)
        except (OSError, tf.errors.OpError) as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise OSError(f"{path} cannot be written: {_reason(error)}") from error
        there = self._paths()
        # Newer ones are those that turned out to be damaged.
        newer, older = there[: there.index(path)], there[there.index(path) + self._keep :]
        for needless in (*newer, *older, *self._directory.glob(f"{self._stage}-*.part")):
            shutil.rmtree(needless, ignore_errors=True)

    def read(self):
        """Returns epoch, step and values of the newest save that is whole, or zeros and None.

        A damaged one is named on the terminal.
        """
        for path in self._paths():
            try:
                values = _read(path, self._key(path))
            except (OSError, ValueError, tf.errors.OpError):
                print(f"{path}/ is damaged, or of another training, and is not used.")
                continue
            _, epoch, step = path.name.rsplit("-", 2)
            return int(epoch), int(step), values
        return 0, 0, None

    def _key(self, path):
        return f"{self._run}\n{path.name}\n".encode()

    def _paths(self):
        """The saves, the newest first."""
        number = "[0-9]" * 6 + "-" + "[0-9]" * 8
        return sorted(self._directory.glob(f"{self._stage}-{number}"), reverse=True)


def _write(directory, values, key):
    with tf.device("CPU"):
        tensors = [tf.convert_to_tensor(value) for value in values.values()]
        tf.raw_ops.SaveV2(
            prefix=str(directory / "state"),
            tensor_names=list(values),
            shape_and_slices=[""] * len(values),
            tensors=tensors,
        )
    (directory / "sha256").write_text(_digest(directory, key))
    for path in (*directory.iterdir(), directory):
        _to_disk(path)


def _read(directory, key):
    """Returns the values of a save, or raises one of several errors if it is damaged."""
    if (directory / "sha256").read_text() != _digest(directory, key):
        raise ValueError("It is not what was written.")
    reader = tf.train.load_checkpoint(str(directory / "state"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _digest(directory, key):
    digest = hashlib.sha256(key)
    for path in sorted(directory.glob("state.*")):
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _to_disk(path):
    """Waits until a file, or the names in a directory, are on the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error):
    return getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
