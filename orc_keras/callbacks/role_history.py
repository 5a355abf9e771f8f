"""The callback that records who taught in which mini-batch."""

import zipfile
from pathlib import Path

import keras
import numpy as np

from orc_keras.files import replacing
from orc_keras.groups.network_group import NetworkGroup

UNKNOWN_TEACHER = 255  # where the teachers were not recorded
LOOK_EVERY = 512  # mini-batches; a group remembers 1,024


class RoleHistory(keras.callbacks.Callback):
    """Writes the temporary teachers of every mini-batch of a group whose roles change.

    The file is a NumPy array, uint8 of shape `[mini_batches, k]`: positions among
    `group.student_names`, most confident teacher first. It is written at least every 1,024
    mini-batches, whole or not at all. If training is restored, the file is continued: put this
    callback after the one that restores. Unknown mini-batches, lost or trained without this
    callback, are 255. A file of another training is overwritten.

    Args:
        path: of the file, `.npy`.

    Raises:
        ValueError: from `fit`, if the model is not a group whose roles change, or its
            `steps_per_execution` is above 512.
        OSError: from `fit`, if the file cannot be written.

    Example:

    >>> pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
    >>> group = orc_keras.OnlineRoleChange(pivot, students)
    >>> group.compile("sgd")
    >>> roles = orc_keras.callbacks.RoleHistory(directory / "roles.npy")
    >>> history = group.fit(images, labels, batch_size=8, verbose=0, callbacks=[roles])
    >>> np.load(directory / "roles.npy").shape
    (4, 1)
    """

    def __init__(self, path):
        super().__init__()
        self._path = Path(path)

    def on_train_begin(self, logs=None):
        if not (isinstance(self.model, NetworkGroup) and self.model.role_record):
            raise ValueError(f"RoleHistory is for groups whose roles change, not {self.model}.")
        if self.model.steps_per_execution > LOOK_EVERY:
            raise ValueError(
                f"RoleHistory needs steps_per_execution to be at most {LOOK_EVERY}, not "
                f"{self.model.steps_per_execution}."
            )
        self._roles = self._earlier()
        self._look()

    def on_epoch_begin(self, epoch, logs=None):
        self._looked = 0

    def on_train_batch_end(self, batch, logs=None):
        if batch - self._looked >= LOOK_EVERY:
            self._look()
            self._looked = batch

    def on_epoch_end(self, epoch, logs=None):
        self._look()

    def _trained(self):
        return int(keras.ops.convert_to_numpy(self.model.role_record.mini_batches))

    def _earlier(self):
        """Returns the file's mini-batches so far; none if it is of another training."""
        recent = keras.ops.convert_to_numpy(self.model.role_record.recent_teachers)
        trained = self._trained()
        roles = _read_roles(self._path, recent.shape[1])[:trained]
        remembered = recent[max(len(recent) - trained, 0) :]  # the last of all mini-batches
        both = remembered[: max(len(remembered) - (trained - len(roles)), 0)]
        ours = np.array_equal(roles[len(roles) - len(both) :], both)
        return roles if ours else roles[:0]

    def _look(self):
        """Adds the mini-batches since the last call, and writes the file."""
        new = self._trained() - len(self._roles)
        recent = keras.ops.convert_to_numpy(self.model.role_record.recent_teachers)
        seen = recent[max(len(recent) - new, 0) :].astype(np.uint8)
        missed = np.full((new - len(seen), recent.shape[1]), UNKNOWN_TEACHER, np.uint8)
        self._roles = np.concatenate([self._roles, missed, seen])
        with replacing(self._path) as unfinished, open(unfinished, "wb") as file:
            np.save(file, self._roles)


def _read_roles(path, k):
    """Returns the role history in a file; empty if there is none, or it is of another shape."""
    try:
        roles = np.load(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        roles = None
    if getattr(roles, "dtype", None) != np.uint8 or roles.shape[1:] != (k,):
        return np.zeros((0, k), np.uint8)
    return roles
