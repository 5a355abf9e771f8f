"""ChangingRoles: a group whose students teach for a mini-batch, and the record of who did."""

import keras
import tensorflow as tf

from orc_keras.checks import check_whole
from orc_keras.groups.network_group import NetworkGroup

TEACHINGS = ("intensive", "private", "group")
REMEMBERED = 1024  # mini-batches whose teachers a group knows, for callbacks that look less often


class ChangingRoles(NetworkGroup):
    """What `OnlineRoleChange` remembers, and measures, of its mini-batches.

    Args:
        pivot: as in `NetworkGroup`.
        students: likewise.
        temporary_teachers: k, how many students teach in a mini-batch.
        teachings: which of `TEACHINGS` take place.
        name: the name of the group.

    Raises:
        ValueError: if there are too few students, or as in `NetworkGroup`.
    """

    def __init__(self, pivot, students, temporary_teachers, teachings, name=None):
        super().__init__(pivot, students, name=name)
        if len(self.students) < 2:
            raise ValueError(
                f"A group needs at least two students, not {len(self.students)}: when the only "
                "student is the temporary teacher, nobody is left to be taught."
            )
        number = len(self.students)
        possible = f"at least 1 and below the number of students, {number}"
        check_whole("temporary_teachers", temporary_teachers, lambda k: 0 < k < number, possible)
        self.temporary_teachers = temporary_teachers
        self.teachings = teachings
        self._taught = {n: keras.metrics.Mean(f"{n}_taught") for n in self.student_names}
        self._lessons = {t: keras.metrics.Mean(f"{t}_teaching") for t in teachings}
        self._gap = keras.metrics.Mean("confidence_gap")
        self.mini_batches = self.add_state("mini_batches", (), "int64")
        recent = (REMEMBERED, temporary_teachers)
        self.recent_teachers = self.add_state("recent_teachers", recent, "int32")

    def remember(self, teachers):
        """Adds the temporary teachers of a mini-batch, positions of shape `[k]`."""
        recent = tf.convert_to_tensor(self.recent_teachers)
        self.recent_teachers.assign(tf.concat([recent[1:], teachers[None]], axis=0))

    def record_mini_batch(self, labels, logits, mean_losses, is_teacher):
        """Adds a mini-batch to all that is measured, and counts it; the logits are by name."""
        for name, z in logits.items():
            self.record(name, labels, z)
        for name, taught in zip(self.student_names, tf.unstack(is_teacher)):
            self._taught[name].update_state(tf.cast(taught, tf.float32))
        self._gap.update_state(tf.reduce_max(mean_losses) - tf.reduce_min(mean_losses))
        self.mini_batches.assign_add(1)

    def record_lesson(self, teaching, sample_losses, weights=None):
        """Adds the losses of a teaching that takes place, `[B]`, or `[N, B]` with weights `[N]`."""
        if teaching in self.teachings:
            self._lessons[teaching].update_state(sample_losses, weights)

    def test_step(self, data):
        results = super().test_step(data)
        of_training = {metric.name for metric in self._metrics_of_training()}
        return {name: result for name, result in results.items() if name not in of_training}

    @property
    def metrics(self):
        return [*super().metrics, *self._metrics_of_training()]

    def _metrics_of_training(self):
        return [*self._taught.values(), *self._lessons.values(), self._gap]
