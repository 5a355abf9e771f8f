"""The callback that ends a stage early, and gives the group the weights of its best epoch."""

import math

import keras

from orc_keras.files import replacing
from orc_keras.groups.default_callbacks import student_logs


class EarlyStopping(keras.callbacks.Callback):
    """Ends training when the accuracy on validation images has not risen for some epochs.

    The accuracy is the student's; the last learner's where the student does not learn. Training
    that is continued remembers by its history.

    Args:
        patience: epochs without a better accuracy.
        path: of the file for the weights of the best epoch; it must end in `.weights.h5`.

    Attributes:
        best_epoch: the epoch with the highest accuracy so far, from 0; None before the first.
        is_over: whether patience has ended.

    Example:

    >>> pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
    >>> group = orc_keras.OnlineRoleChange(pivot, students)
    >>> group.compile(keras.optimizers.SGD(0.0))
    >>> stopping = orc_keras.callbacks.EarlyStopping(2, directory / "best.weights.h5")
    >>> how = dict(epochs=20, validation_data=(images, labels), verbose=0, callbacks=[stopping])
    >>> len(group.fit(images, labels, **how).epoch) - stopping.best_epoch, stopping.is_over
    (3, True)
    >>> stopping.restore_best()
    """

    def __init__(self, patience, path):
        super().__init__()
        self._patience, self._path = patience, path
        self._best, self.best_epoch, self.is_over = -math.inf, None, False

    def restore_history(self, history):
        """Remembers the epochs of training that is continued: metrics by name, a list each."""
        number = len(next(iter(history.values()), ()))
        for epoch in range(number):
            self._judge(epoch, {name: values[epoch] for name, values in history.items()})

    def on_epoch_end(self, epoch, logs=None):
        if self._judge(epoch, logs):
            with replacing(self._path) as path:
                self.model.save_weights(path)
        self.model.stop_training = self.model.stop_training or self.is_over

    def restore_best(self):
        """Gives the group the weights of the best epoch, if there was one."""
        if self.best_epoch is not None:
            self.model.load_weights(self._path)

    def _judge(self, epoch, logs):
        """Whether this epoch is the best so far."""
        accuracy = student_logs(self.model, logs).get("val_accuracy", math.nan)
        is_better = accuracy > self._best  # not if there was no evaluation
        if is_better:
            self._best, self.best_epoch = accuracy, epoch
        self.is_over = self.best_epoch is not None and epoch - self.best_epoch >= self._patience
        return is_better
