"""The callback that writes the history of a group's training."""

import math

import keras


class GroupCSVLogger(keras.callbacks.CSVLogger):
    """Keras's `CSVLogger` for a group, where not every epoch ends with an evaluation.

    An epoch without one has NaN in the columns of held-out images. So all rows have the same
    columns, also where training continues. (Keras's own callback guesses their names from those of
    training, which differ in a group, and may guess otherwise when it continues.)

    Args:
        filename: of the file, as `append` and `separator` for `keras.callbacks.CSVLogger`.

    Example:

    >>> pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
    >>> group = orc_keras.OnlineRoleChange(pivot, students)
    >>> group.compile("sgd")
    >>> how = dict(epochs=2, validation_data=(images, labels), validation_freq=2, verbose=0)
    >>> path = directory / "history.csv"
    >>> logger = orc_keras.callbacks.GroupCSVLogger(path)
    >>> history = group.fit(images, labels, **how, callbacks=[logger])
    >>> np.isnan(np.genfromtxt(path, delimiter=",", names=True)["val_loss"])
    array([ True, False])
    """

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if not any(name.startswith("val_") for name in logs):
            with self.model.evaluating():
                names = self.model.get_metrics_result()
            logs = {f"val_{name}": math.nan for name in names} | logs
        super().on_epoch_end(epoch, logs)
