"""The metrics of a group's members for TensorBoard."""

import collections
from pathlib import Path

import keras
import tensorflow as tf
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary import scalar_pb

from orc_keras.groups.network_group import PIVOT, NetworkGroup


class GroupTensorBoard(keras.callbacks.Callback):
    """Writes each epoch's logs for TensorBoard, where all members share a chart.

    Each member is a "run" of TensorBoard, with `loss/training`, `loss/held_out`,
    `accuracy/training`, `accuracy/held_out` and, for a student, `taught`. All other values are in
    the run `training`: `training/learning_rate`, `training/private_teaching`, ...

    Args:
        directory: where to write, `<directory>/<run>/`.

    Raises:
        OSError: from `fit`, if the directory cannot be made.

    Example:

    >>> network = models.build("resnet8", (8, 8, 1), 10)
    >>> network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> board = orc_keras.callbacks.GroupTensorBoard(directory)
    >>> history = network.fit(images, labels, verbose=0, callbacks=[board])
    >>> [path.name for path in directory.iterdir()]
    ['resnet8']
    """

    def __init__(self, directory):
        super().__init__()
        self._directory = Path(directory)

    def on_train_begin(self, logs=None):
        self._directory.mkdir(parents=True, exist_ok=True)
        self._writers = {}

    def on_epoch_end(self, epoch, logs=None):
        for run, summary in self._summaries(logs).items():
            with self._writer(run).as_default(epoch):
                # One operation for all; one for each number would take milliseconds.
                tf.summary.experimental.write_raw_pb(summary.SerializeToString())
            self._writer(run).flush()

    def on_train_end(self, logs=None):
        for writer in self._writers.values():
            writer.close()

    def _summaries(self, logs):
        summaries = collections.defaultdict(Summary)
        for name, value in logs.items():
            if place := self._place(name):
                run, tag = place
                summaries[run].MergeFrom(scalar_pb(tag, value))
        return summaries

    def _place(self, name):
        """Returns the run and the tag of a value; None for the second name of a value."""
        group = self.model if isinstance(self.model, NetworkGroup) else None
        is_alone = group is None or group.stage == PIVOT  # its numbers have no prefix
        learner = group.learners[-1] if group else self.model.name
        prefixes = {learner: ""} if is_alone else {n: f"{n}_" for n in group.members}
        base = name.removeprefix("val_")
        where = "training" if base == name else "held_out"
        if not is_alone and base in ("loss", "accuracy"):  # the student's
            return None
        for run, prefix in prefixes.items():
            for quantity in ("loss", "accuracy"):
                if base == prefix + quantity:
                    return run, f"{quantity}/{where}"
            if base == f"{prefix}taught":
                return run, "taught"
        return "training", f"training/{name}"

    def _writer(self, run):
        if run not in self._writers:
            self._writers[run] = tf.summary.create_file_writer(str(self._directory / run))
        return self._writers[run]
