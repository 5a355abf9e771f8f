"""The history of a group's training as CSV."""

import csv
import math

import keras

from orc_keras.groups.network_group import NetworkGroup


class GroupCSVLogger(keras.callbacks.CSVLogger):
    """Keras's `CSVLogger` for a group; epochs without an evaluation have NaN in its columns.

    Keras guesses the columns of an evaluation from those of training, which in a group differ.

    Examples:
        >>> path = directory / "history.csv"
        >>> history = group.fit(
        ...     images, labels, epochs=2, validation_data=(images, labels), validation_freq=2,
        ...     verbose=0, callbacks=[GroupCSVLogger(path)])
        >>> np.isnan(np.genfromtxt(path, delimiter=",", names=True)["val_loss"])
        array([ True, False])
    """

    model: NetworkGroup

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if not any(name.startswith("val_") for name in logs):
            with self.model.evaluating():
                names = self.model.get_metrics_result()
            logs = {f"val_{name}": math.nan for name in names} | logs
        super().on_epoch_end(epoch, logs)


def parse_history(text: str) -> dict[str, list[float]]:
    """Returns each metric's values by epoch, by name, from the text that the callback wrote."""
    rows = list(csv.DictReader(text.splitlines()))
    return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}
