"""Early stopping on validation accuracy, for training that may be interrupted."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from orc_keras.files import atomic_write, read
from orc_keras.groups.default_callbacks import student_logs
from orc_keras.groups.network_group import NetworkGroup


class EarlyStopping(keras.callbacks.Callback):
    """Ends training when the student's validation accuracy has not risen for some epochs.

    In a stage in which the student does not learn, the accuracy is the last learner's. Unlike
    Keras's callback it keeps the best weights in a file, and training can be continued.

    Args:
        patience: epochs without a better accuracy.
        path: of the file for the weights of the best epoch; it must end in `.weights.h5`.

    Attributes:
        best_epoch: the epoch with the highest accuracy so far, from 0; None before the first.
        is_over: whether `patience` epochs have passed since.

    Examples:
        >>> group.compile(keras.optimizers.SGD(0.0))
        >>> stopping = EarlyStopping(2, directory / "best.weights.h5")
        >>> history = group.fit(
        ...     images, labels, epochs=20, validation_data=(images, labels), verbose=0,
        ...     callbacks=[stopping])
        >>> len(history.epoch) - stopping.best_epoch, stopping.is_over
        (3, True)
        >>> stopping.restore_best()
    """

    model: NetworkGroup
    follows_one_stage = True

    def __init__(self, patience: int, path: Path):
        super().__init__()
        self._patience, self._path = patience, path
        self._best_accuracy, self.best_epoch, self.is_over = -math.inf, None, False

    def restore_history(self, history: Mapping[str, Sequence[float]]) -> None:
        """Takes into account each metric's values by epoch of training that is continued."""
        for epoch, values in enumerate(zip(*history.values())):
            self._update(epoch, dict(zip(history, values)))

    def restore_best(self) -> None:
        """Gives the group the weights of the best epoch, if there was one.

        Raises:
            ValueError: if their file is missing or damaged.
        """
        if self.best_epoch is not None:
            read(self._path, self.model.load_weights)

    def on_epoch_end(self, epoch, logs=None):
        if self._update(epoch, logs):
            with atomic_write(self._path) as path:
                self.model.save_weights(path)
        self.model.stop_training = self.model.stop_training or self.is_over

    def _update(self, epoch, logs):
        """Returns whether this epoch is the best so far."""
        accuracy = student_logs(self.model, logs).get("val_accuracy", math.nan)
        is_better = accuracy > self._best_accuracy  # not if there was no evaluation
        if is_better:
            self._best_accuracy, self.best_epoch = accuracy, epoch
        self.is_over = self.best_epoch is not None and epoch - self.best_epoch >= self._patience
        return is_better
