"""The temporary teachers of every mini-batch, in a file."""

from pathlib import Path

import keras
import numpy as np

from orc_keras.files import atomic_write
from orc_keras.groups.network_group import NetworkGroup

UNKNOWN_TEACHER = 255  # where the teachers were not recorded
WRITE_EVERY = 512  # mini-batches; a group remembers 1,024, and one execution has at most 512


class RoleHistory(keras.callbacks.Callback):
    """Writes the temporary teachers of every mini-batch of a group whose roles change.

    The file is a NumPy array, uint8 of shape `[mini_batches, k]`: positions among
    `group.student_names`, most confident teacher first. It is written at least every 1,024
    mini-batches, whole or not at all. Where training is restored, the file is continued: put this
    callback after the one that restores. Unknown mini-batches, lost or trained without this
    callback, are 255. A file of another training is overwritten.

    Args:
        path: of the file, `.npy`.

    Raises:
        ValueError: from `fit`, if the model is not a group whose roles change.
        OSError: from `fit`, if the file cannot be written.

    Examples:
        >>> roles = RoleHistory(directory / "roles.npy")
        >>> history = group.fit(images, labels, batch_size=8, verbose=0, callbacks=[roles])
        >>> np.load(directory / "roles.npy").shape
        (4, 1)
    """

    model: NetworkGroup

    def __init__(self, path: str | Path):
        super().__init__()
        self._path = Path(path)

    def on_train_begin(self, logs=None):
        if not (isinstance(self.model, NetworkGroup) and self.model.role_record):
            raise ValueError(f"RoleHistory is for groups whose roles change, not {self.model}.")
        start, teachers = self._remembered()
        roles = _load(self._path, teachers.shape[1])[: start + len(teachers)]
        is_ours = np.array_equal(roles[start:], teachers[: len(roles[start:])])
        self._roles = roles if is_ours else roles[:0]
        self._write(0)

    def on_train_batch_end(self, batch, logs=None):
        if batch - self._written_at >= WRITE_EVERY:
            self._write(batch)

    def on_epoch_end(self, epoch, logs=None):
        self._write(0)

    def _remembered(self):
        """Returns the mini-batches that the group remembers: the first's number, their teachers."""
        record = self.model.role_record
        recent = np.array(record.recent_teachers, np.uint8)
        trained = int(np.array(record.mini_batches))
        known = min(trained, len(recent))
        return trained - known, recent[len(recent) - known :]

    def _write(self, batch):
        """Adds the mini-batches since the last call, and writes the file."""
        self._written_at = batch  # of the epoch
        start, teachers = self._remembered()
        number = len(self._roles)
        lost = np.full((max(start - number, 0), teachers.shape[1]), UNKNOWN_TEACHER, np.uint8)
        self._roles = np.concatenate([self._roles, lost, teachers[max(number - start, 0) :]])
        with atomic_write(self._path) as unfinished, open(unfinished, "wb") as file:
            np.save(file, self._roles)


def _load(path, k):
    """Returns the role history in a file; empty if there is none, or it is of another shape."""
    empty = np.zeros((0, k), np.uint8)
    try:
        with open(path, "rb") as file:
            roles = np.lib.format.read_array(file)
    except (OSError, ValueError):
        return empty
    return roles if roles.dtype == np.uint8 and roles.shape[1:] == (k,) else empty
