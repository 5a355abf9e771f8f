"""Records who taught in which mini-batch, and the losses of the teachings."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

REMEMBERED = 1024  # mini-batches, so that a callback need not read the teachers at each


class RoleRecord:
    """The state and the metrics of role changes in a group.

    Args:
        add_state: the group's `NetworkGroup.add_state`; the state is saved with the group.
        student_names: names of the N students.
        num_temporary_teachers: k, temporary teachers in a mini-batch.
        teachings: names of the teachings that are on.

    Attributes:
        mini_batches: the number that the group has been trained on, an int64 variable.
        recent_teachers: the temporary teachers of the last 1,024 mini-batches, newest last, as
            indices of students, most confident first; int32 variable, `[1024, k]`.
        metrics: of training: `<student>_taught`, the share of mini-batches in which a student
            taught; `<teaching>_teaching`, the mean loss of a teaching; `confidence_gap`, between
            the most and the least confident student.
    """

    def __init__(
        self,
        add_state: Callable[..., keras.Variable],
        student_names: Sequence[str],
        num_temporary_teachers: int,
        teachings: Sequence[str],
    ):
        self.mini_batches = add_state("mini_batches", (), "int64")
        recent = (REMEMBERED, num_temporary_teachers)
        self.recent_teachers = add_state("recent_teachers", recent, "int32")
        self._taught = [keras.metrics.Mean(f"{name}_taught", "float32") for name in student_names]
        self._teaching_losses = {
            name: keras.metrics.Mean(f"{name}_teaching", "float32") for name in teachings
        }
        self._gap = keras.metrics.Mean("confidence_gap", "float32")

    @property
    def metrics(self) -> list[keras.Metric]:
        return [*self._taught, *self._teaching_losses.values(), self._gap]

    def newest(self) -> tf.Tensor:
        """Returns the temporary teachers of the last mini-batch, indices of shape `[k]`."""
        return tf.convert_to_tensor(self.recent_teachers)[-1]

    def record(self, teachers: tf.Tensor, is_teacher: tf.Tensor, mean_losses: tf.Tensor) -> None:
        """Adds a mini-batch.

        Args:
            teachers: indices of its temporary teachers, shape `[k]`.
            is_teacher: whether each student is one, booleans `[N]`.
            mean_losses: L, shape `[N]`.
        """
        recent = tf.convert_to_tensor(self.recent_teachers)
        self.recent_teachers.assign(tf.concat([recent[1:], teachers[None]], axis=0))
        for metric, taught in zip(self._taught, tf.unstack(is_teacher)):
            metric.update_state(tf.cast(taught, tf.float32))
        self._gap.update_state(tf.reduce_max(mean_losses) - tf.reduce_min(mean_losses))
        self.mini_batches.assign_add(1)

    def record_teaching_loss(
        self, teaching: str, per_sample_loss: tf.Tensor, weights: tf.Tensor
    ) -> None:
        """Adds the loss of a teaching and its weights, both `[B]` or `[N, B]`, if it is on."""
        if teaching in self._teaching_losses:
            # Flat, because Keras's mean over a replica's empty part, as `[N, 0]`, is NaN.
            flat = (tf.reshape(each, [-1]) for each in (per_sample_loss, weights))
            self._teaching_losses[teaching].update_state(*flat)
