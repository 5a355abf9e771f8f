"""Who taught in which mini-batch, and what the lessons cost."""

import keras
import tensorflow as tf

REMEMBERED = 1024  # mini-batches whose teachers a group knows, for callbacks that look less often


class RoleRecord:
    """What a group whose roles change remembers, and measures, of its mini-batches.

    Args:
        add_state: `NetworkGroup.add_state` of the group; what is remembered is saved with it.
        student_names: the students, N in number.
        num_temporary_teachers: k, how many of them teach in a mini-batch.
        teachings: those that take place.

    Attributes:
        mini_batches: how many the group has been trained on, an int64 variable.
        recent_teachers: who taught in the last 1,024 of them, the newest last: positions among the
            students, most confident first; an int32 variable of shape `[1024, k]`.
        metrics: of a training step: `<student>_taught`, the share of mini-batches in which a
            student taught; `<teaching>_teaching`, the mean loss of a teaching; and
            `confidence_gap`, that between the most and the least confident student.
    """

    def __init__(self, add_state, student_names, num_temporary_teachers, teachings):
        self.mini_batches = add_state("mini_batches", (), "int64")
        recent = (REMEMBERED, num_temporary_teachers)
        self.recent_teachers = add_state("recent_teachers", recent, "int32")
        self._taught = [keras.metrics.Mean(f"{name}_taught") for name in student_names]
        self._lessons = {name: keras.metrics.Mean(f"{name}_teaching") for name in teachings}
        self._gap = keras.metrics.Mean("confidence_gap")

    @property
    def metrics(self):
        return [*self._taught, *self._lessons.values(), self._gap]

    def newest(self):
        """Returns the temporary teachers of the last mini-batch, positions of shape `[k]`."""
        return tf.convert_to_tensor(self.recent_teachers)[-1]

    def record(self, teachers, is_teacher, mean_losses):
        """Adds a mini-batch.

        Args:
            teachers: positions of its temporary teachers, shape `[k]`.
            is_teacher: the same as a boolean for each student, `[N]`.
            mean_losses: L, of each student, `[N]`.
        """
        recent = tf.convert_to_tensor(self.recent_teachers)
        self.recent_teachers.assign(tf.concat([recent[1:], teachers[None]], axis=0))
        for metric, taught in zip(self._taught, tf.unstack(is_teacher)):
            metric.update_state(tf.cast(taught, tf.float32))
        self._gap.update_state(tf.reduce_max(mean_losses) - tf.reduce_min(mean_losses))
        self.mini_batches.assign_add(1)

    def record_lesson(self, teaching, sample_losses, weights=None):
        """Adds the losses of a teaching that takes place, `[B]`, or `[N, B]` with weights `[N]`."""
        if teaching in self._lessons:
            self._lessons[teaching].update_state(sample_losses, weights)
