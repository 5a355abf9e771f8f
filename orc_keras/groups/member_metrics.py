"""MeasuredMembers: networks by their names, and how well each of them does."""

import keras
import tensorflow as tf

from orc_keras.distribution.multi_worker import DistributedModel
from orc_keras.groups import losses, mini_batch
from orc_keras.groups.members import check_members, image_shape, name_members, num_classes


class MeasuredMembers(DistributedModel):
    """Several networks with the same input and classes, of which one `fit` or `evaluate` reports.

    Args:
        networks: built `keras.Model`s from images to logits, the pivot first, *the* student last.
        name: the name of the model.

    Attributes:
        members: the networks by name, in order.
        num_classes: C, the number of logits of each.
        measured: names of those that a training step measures.

    Raises:
        ValueError: as in `NetworkGroup`.
    """

    def __init__(self, networks, name=None):
        super().__init__(name=name)
        check_members(networks)
        self.members = name_members(networks)
        self.num_classes = num_classes(networks[-1])
        self.track_in_checkpoints("member", self.members)
        prefixes = {name: f"{name}_" for name in self.members} | {self.student_names[-1]: ""}
        self._loss_of = {n: keras.metrics.Mean(f"{p}loss") for n, p in prefixes.items()}
        self._accuracy_of = {n: keras.metrics.Mean(f"{p}accuracy") for n, p in prefixes.items()}
        self.built = True

    @property
    def measured(self):
        return tuple(self.members)

    @property
    def pivot(self):
        """The pivot teacher, a `keras.Model`."""
        return next(iter(self.members.values()))

    @property
    def students(self):
        """All members but the pivot, a list of `keras.Model`."""
        return list(self.members.values())[1:]

    @property
    def student(self):
        """*The* student, the small network that the group is trained for."""
        return self.students[-1]

    @property
    def pivot_name(self):
        """The pivot's name in `members`."""
        return next(iter(self.members))

    @property
    def student_names(self):
        """The students' names in `members`, in order."""
        return list(self.members)[1:]

    def call(self, images, training=None):
        return self.student(images, training=training)

    def export(self, *args, **kwargs):
        """Exports the student as `keras.Model.export` does, also if it has never been called."""
        images = keras.InputSpec(shape=(None, *image_shape(self.student)), dtype="float32")
        return super().export(*args, **{"input_signature": [images], **kwargs})

    def unpack(self, data):
        """Returns images as floats and labels as integers of shape `[B]`, or says what is wrong."""
        return mini_batch.unpack(data, image_shape(self.student), self.num_classes)

    def logits(self, name, images, training=True):
        """Runs member `name` forward; float32 logits of shape `[B, C]`."""
        return tf.cast(self.members[name](images, training=training), tf.float32)

    def test_step(self, data):
        images, labels = self.unpack(data)
        for name in self.members:
            self.record(name, labels, self.logits(name, images, training=False))
        return self.get_metrics_result()

    def record(self, name, labels, logits):
        """Adds a mini-batch to the loss and the accuracy of member `name`."""
        self._loss_of[name].update_state(losses.cross_entropy(labels, logits))
        hits = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
        self._accuracy_of[name].update_state(tf.cast(hits, tf.float32))

    def record_all(self, labels, logits):
        """Adds a mini-batch of the members in `logits`; returns their metrics, for `train_step`."""
        for name, z in logits.items():
            self.record(name, labels, z)
        return self.training_results()

    def training_results(self):
        """Returns the metrics that training reports: all but those of members not `measured`."""
        left_out = [name for name in self.members if name not in self.measured]
        prefixes = [f"{n}_" for n in left_out] + [""] * (self.student_names[-1] in left_out)
        names = [f"{prefix}{quantity}" for prefix in prefixes for quantity in ("loss", "accuracy")]
        return {n: r for n, r in self.get_metrics_result().items() if n not in names}

    @property
    def metrics(self):
        # The student's come first, so that `evaluate` returns [loss, accuracy, ...].
        names = reversed(self.members)
        return [m[name] for name in names for m in (self._loss_of, self._accuracy_of)]

    def get_metrics_result(self):
        """Returns every metric by its name; the student's `loss` and `accuracy` have two."""
        results = {metric.name: metric.result() for metric in self.metrics}
        student = self.student_names[-1]
        return results | {f"{student}_{key}": results[key] for key in ("loss", "accuracy")}

    def _get_metrics_result_or_logs(self, logs):
        # A step's logs are one replica's. Keras replaces them by the metrics' own results, which
        # are those of all replicas, only if the step returned every metric of the model.
        results = self.get_metrics_result()
        return {name: results[name] for name in logs}

    def track_in_checkpoints(self, prefix, by_name):
        """Shows `tf.train.Checkpoint` what it does not see: trackables in one of Keras's dicts."""
        for name, trackable in by_name.items():
            self._track_trackable(trackable, f"{prefix}_{name}", overwrite=True)
