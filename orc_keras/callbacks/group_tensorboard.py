"""The metrics of a group's members for TensorBoard."""

from pathlib import Path

import keras
import tensorflow as tf

from orc_keras.groups.network_group import PIVOT, NetworkGroup


class GroupTensorBoard(keras.callbacks.Callback):
    """Writes each epoch's logs for TensorBoard, where all members share a chart.

    Each member is a "run" of TensorBoard, with `loss/training`, `loss/held_out`,
    `accuracy/training`, `accuracy/held_out` and, for a student, `taught`. All other values are in
    the run `training`: `training/learning_rate`, `training/private_teaching`, ...

    Args:
        directory: where to write, `<directory>/<run>/`.

    Examples:
        >>> network = models.build("resnet8", (8, 8, 1), 10)
        >>> network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> board = GroupTensorBoard(directory)
        >>> history = network.fit(images, labels, verbose=0, callbacks=[board])
        >>> [path.name for path in directory.iterdir()]
        ['resnet8']
    """

    model: keras.Model

    def __init__(self, directory: str | Path):
        super().__init__()
        self._directory, self._writers = Path(directory), {}

    def on_epoch_end(self, epoch, logs=None):
        charts = self._charts()
        for name, value in (logs or {}).items():
            # In a whole group, `loss` and `accuracy` are a second name of the student's.
            if "loss" in charts or name.removeprefix("val_") not in ("loss", "accuracy"):
                run, tag = charts.get(name, ("training", f"training/{name}"))
                if run not in self._writers:
                    self._writers[run] = tf.summary.create_file_writer(str(self._directory / run))
                with self._writers[run].as_default(epoch):
                    tf.summary.scalar(tag, value)
        for writer in self._writers.values():
            writer.flush()

    def _charts(self):
        """Returns run and tag of each metric of the members, by the metric's name."""
        if not isinstance(self.model, NetworkGroup):
            prefixes = {self.model.name: ""}
        elif self.model.stage == PIVOT:
            prefixes = {self.model.pivot_name: ""}
        else:
            prefixes = {name: f"{name}_" for name in self.model.members}
        charts = {}
        for run, prefix in prefixes.items():
            charts[f"{prefix}taught"] = run, "taught"
            for quantity in ("loss", "accuracy"):
                charts[f"{prefix}{quantity}"] = run, f"{quantity}/training"
                charts[f"val_{prefix}{quantity}"] = run, f"{quantity}/held_out"
        return charts
