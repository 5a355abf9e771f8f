"""Group knowledge distillation with online role change (Choi et al., ICCV 2023)."""

import math
import numbers

import keras
import tensorflow as tf

from orc_keras import feedback, losses, roles
from orc_keras.network_group import NetworkGroup
from orc_keras.replicas import branch

TEACHINGS = ("intensive", "private", "group")
REMEMBERED = 1024  # mini-batches whose teachers a group knows, for callbacks that look less often


@keras.saving.register_keras_serializable("orc_keras")
class OnlineRoleChange(NetworkGroup):
    """A group in which the most confident student of every mini-batch becomes a teacher.

    `train_step` is the method: assess, change roles, collect feedback; then intensive, private
    and group teaching; then everybody but the pivot is a student again. Each student runs
    forward and backward once in a mini-batch.

    Args:
        pivot: the pivot teacher, a built `keras.Model` from images to logits. Trained alone
            beforehand, as a rule; it goes on learning here.
        students: at least two other networks; the last one is *the* student.
        temperature: T, softens the logits that are distilled; above 0.
        distillation_weight: beta, the weight of the teachers against the labels; 0 to 1.
        mixup_alpha: alpha of the Beta distribution that mixes the feedback into the pivot's
            images; 0 turns mixing off.
        temporary_teachers: k, how many students are promoted; fewer than the students.
        role_change_interval: m, mini-batches between changes of roles; 1 in the paper.
        seed: of the mixing and of the order of the feedback.
        name: the name of the group.

    Attributes:
        mini_batches: how many it has been trained on, an int64 variable.
        recent_teachers: who taught in the last 1,024 of them, the newest last: positions among the
            students, most confident first; an int32 variable of shape `[1024, k]`.

    Raises:
        ValueError: if an argument is out of its range, or as in `NetworkGroup`.

    Example:

    >>> group = orc_keras.OnlineRoleChange(
    ...     models.build("resnet20", (8, 8, 1), num_classes=10),
    ...     [models.build(name, (8, 8, 1), num_classes=10) for name in ("resnet14", "resnet8")],
    ... )
    >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    >>> history = group.fit(images, labels, verbose=0)
    >>> sorted(key for key in history.history if key.endswith("taught"))
    ['resnet14_taught', 'resnet8_taught']
    """

    way = "group knowledge distillation with online role change"

    def __init__(
        self,
        pivot,
        students,
        temperature=4.0,
        distillation_weight=0.5,
        mixup_alpha=1.0,
        temporary_teachers=1,
        role_change_interval=1,
        seed=0,
        name=None,
    ):
        super().__init__(pivot, students, name=name)
        if len(self.students) < 2:
            raise ValueError(
                f"A group needs at least two students, not {len(self.students)}: when the only "
                "student is the temporary teacher, nobody is left to be taught."
            )
        _check("temperature", temperature, 0 < temperature < math.inf, "above 0")
        _check("distillation_weight", distillation_weight, 0 <= distillation_weight <= 1, "0 to 1")
        _check("mixup_alpha", mixup_alpha, 0 <= mixup_alpha < math.inf, "0 or more")
        _check(
            "temporary_teachers",
            temporary_teachers,
            _is_whole(temporary_teachers) and 0 < temporary_teachers < len(self.students),
            f"at least 1 and below the number of students, {len(self.students)}",
        )
        _check(
            "role_change_interval",
            role_change_interval,
            _is_whole(role_change_interval) and role_change_interval >= 1,
            "a whole number, 1 or more",
        )
        _check("seed", seed, _is_whole(seed), "a whole number")
        self.temperature = temperature
        self.distillation_weight = distillation_weight
        self.mixup_alpha = mixup_alpha
        self.temporary_teachers = temporary_teachers
        self.role_change_interval = role_change_interval
        self.seed = seed
        self._taught = {n: keras.metrics.Mean(f"{n}_taught") for n in self.student_names}
        self._lessons = {t: keras.metrics.Mean(f"{t}_teaching") for t in TEACHINGS}
        self._gap = keras.metrics.Mean("confidence_gap")
        self.mini_batches = self._add_state("mini_batches", (), "int64")
        recent = (REMEMBERED, temporary_teachers)
        self.recent_teachers = self._add_state("recent_teachers", recent, "int32")

    def train_step(self, data):
        """One mini-batch; the numbers are the steps of the method, the letters its symbols."""
        images, labels = self.unpack(data)  # x [B, height, width, channels], y [B]
        order_seed, mixing_seed = self._seeds()

        # 1. Assess. This is each student's only forward pass: steps 5 and 6 differentiate it.
        with tf.GradientTape(persistent=True) as tape:
            logits = {name: self.logits(name, images) for name in self.student_names}
        sample_losses = tf.stack([losses.cross_entropy(labels, z) for z in logits.values()])
        mean_losses, global_batch = self._global_mean(sample_losses)  # l [N, B], L [N]

        # 2. Change roles.
        teachers = self._change_roles(mean_losses)  # [k]
        is_teacher = roles.as_mask(teachers, len(logits))  # [N]

        # 3. Collect feedback.
        shares = feedback.shares(mean_losses, is_teacher, places=tf.shape(labels)[0])
        hardest = feedback.shuffle(feedback.collect(sample_losses, shares), order_seed)  # [B]

        # 4. Intensive teaching (updates the pivot).
        ratio = feedback.mixing_ratio(self.mixup_alpha, mixing_seed)  # lambda
        mixed_images = ratio * images + (1 - ratio) * tf.gather(images, hardest)
        with tf.GradientTape(persistent=True) as pivot_tape:
            lesson = losses.intensive_teaching(
                labels,
                tf.gather(labels, hardest),
                self.logits(self.pivot_name, mixed_images),
                ratio,
            )
        self.learn(self.pivot_name, pivot_tape, lesson, global_batch)
        self._lessons["intensive"].update_state(lesson)
        pivot_logits = self.logits(self.pivot_name, images)

        # 5. Private teaching (updates each temporary teacher).
        self._teach("private", is_teacher, labels, logits, [pivot_logits], tape, global_batch)

        # 6. Group teaching (updates every other student).
        temporary_logits = self._logits_of_teachers(teachers, is_teacher, images, logits)
        all_teachers = [pivot_logits, *temporary_logits]
        self._teach("group", ~is_teacher, labels, logits, all_teachers, tape, global_batch)

        # 7. Demote: no role outlives the mini-batch, only the record of them.
        self._record_mini_batch(
            labels, {self.pivot_name: pivot_logits, **logits}, mean_losses, is_teacher
        )
        return self.get_metrics_result()

    def _seeds(self):
        """Two seeds that are a function of (seed, mini-batch), the same on every replica."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.convert_to_tensor(self.mini_batches)])
        return tf.unstack(tf.random.split(seed))

    def _global_mean(self, sample_losses):
        """Returns the means over the samples of all replicas, and how many samples these are."""
        samples = tf.cast(tf.shape(sample_losses)[1], tf.float32)
        totals, samples = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.SUM, [tf.reduce_sum(sample_losses, axis=1), samples]
        )
        return totals / samples, samples

    def _change_roles(self, mean_losses):
        """Promotes the most confident students, or keeps the last choice until it is due."""
        is_due = tf.convert_to_tensor(self.mini_batches) % self.role_change_interval == 0
        promoted = roles.promote(mean_losses, self.temporary_teachers)
        recent = tf.convert_to_tensor(self.recent_teachers)
        teachers = tf.where(is_due, promoted, recent[-1])
        self.recent_teachers.assign(tf.concat([recent[1:], teachers[None]], axis=0))
        return teachers

    def _teach(self, teaching, learns, labels, logits, teachers, tape, global_batch):
        """Teaches the students for whom `learns`, of shape `[N]`, is True."""
        lessons = []
        for name, when in zip(logits, tf.unstack(learns)):
            with tape:
                lesson = losses.teaching(
                    labels, logits[name], teachers, self.temperature, self.distillation_weight
                )
            self.learn(name, tape, lesson, global_batch, when)
            lessons.append(lesson)
        self._lessons[teaching].update_state(tf.stack(lessons), tf.cast(learns, tf.float32))

    def _logits_of_teachers(self, teachers, is_teacher, images, logits):
        """Runs the temporary teachers again, after their lesson; a list of k logits."""
        updated = [
            branch(when, lambda x, _, name=name: self.logits(name, x), lambda _, z: z, images, z)
            for when, (name, z) in zip(tf.unstack(is_teacher), logits.items())
        ]
        return tf.unstack(tf.gather(tf.stack(updated), teachers))

    def _record_mini_batch(self, labels, logits, mean_losses, is_teacher):
        for name, z in logits.items():
            self.record(name, labels, z)
        for name, taught in zip(self.student_names, tf.unstack(is_teacher)):
            self._taught[name].update_state(tf.cast(taught, tf.float32))
        self._gap.update_state(tf.reduce_max(mean_losses) - tf.reduce_min(mean_losses))
        self.mini_batches.assign_add(1)

    def test_step(self, data):
        results = super().test_step(data)
        of_training = {metric.name for metric in self._metrics_of_training()}
        return {name: result for name, result in results.items() if name not in of_training}

    @property
    def metrics(self):
        return [*super().metrics, *self._metrics_of_training()]

    def _metrics_of_training(self):
        return [*self._taught.values(), *self._lessons.values(), self._gap]

    def _add_state(self, name, shape, dtype):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",  # each has the same
        )

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "distillation_weight": self.distillation_weight,
            "mixup_alpha": self.mixup_alpha,
            "temporary_teachers": self.temporary_teachers,
            "role_change_interval": self.role_change_interval,
            "seed": self.seed,
        }


def _is_whole(number):
    return isinstance(number, numbers.Integral)


def _check(argument, given, is_possible, possible):
    if not is_possible:
        raise ValueError(f"{argument} must be {possible}, not {given}.")
