"""Group knowledge distillation with online role change (Choi et al., ICCV 2023)."""

import math

import keras
import tensorflow as tf

from orc_keras.checks import (
    check,
    check_choice,
    check_choices,
    check_count,
    check_number,
    check_seed,
    check_temperature,
    check_weight,
)
from orc_keras.distribution.replica_cond import branch
from orc_keras.groups import feedback, losses, roles
from orc_keras.groups.role_record import TEACHINGS, ChangingRoles

FIXED = "1 where the temporary teacher is fixed"
PASSES = ("training", "batch", "inference")
ARGUMENTS = (
    "temperature",
    "distillation_weight",
    "mixup_alpha",
    "temporary_teachers",
    "role_change_interval",
    "seed",
    "teachings",
    "teaching",
    "temporary_teacher",
    "feedback",
    "teacher_passes",
    "distillation_warmup",
)


@keras.saving.register_keras_serializable("orc_keras")
class OnlineRoleChange(ChangingRoles):
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
        teachings: which of "intensive", "private" and "group" teaching take place. Without the
            first the pivot stays as it is; students without theirs learn from the labels only
            (our reading).
        teaching: "individual", each teacher by itself; or "ensemble", the mean of their logits.
        temporary_teacher: "online", the most confident; or the name of a student that always is it.
        feedback: what the pivot learns from: "mixed" images, "feedback" samples only, or the
            "training" samples of the mini-batch only.
        teacher_passes: what BatchNorm does while a member teaches: "training", it normalises by the
            mini-batch and moves its statistics; "batch", it does the former only; "inference".
        distillation_warmup: mini-batches over which beta rises linearly from 0; 0 in the paper.
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
        teachings=TEACHINGS,
        teaching="individual",
        temporary_teacher="online",
        feedback="mixed",
        teacher_passes="training",
        distillation_warmup=0,
        name=None,
    ):
        check_choices("teachings", teachings, TEACHINGS)
        super().__init__(pivot, students, temporary_teachers, tuple(teachings), name=name)
        check_temperature(temperature)
        check_weight(distillation_weight)
        check_number("mixup_alpha", mixup_alpha, lambda a: 0 <= a < math.inf, "0 or more")
        check_count("role_change_interval", role_change_interval, smallest=1)
        check_seed(seed)
        check_choice("teaching", teaching, ("individual", "ensemble"))
        check_choice("temporary_teacher", temporary_teacher, ("online", *self.student_names))
        if temporary_teacher != "online":
            check("temporary_teachers", temporary_teachers, temporary_teachers == 1, FIXED)
        check_choice("feedback", feedback, ("mixed", "feedback", "training"))
        check_choice("teacher_passes", teacher_passes, PASSES)
        check_count("distillation_warmup", distillation_warmup, smallest=0)
        self.temperature = temperature
        self.distillation_weight = distillation_weight
        self.mixup_alpha = mixup_alpha
        self.role_change_interval = role_change_interval
        self.seed = seed
        self.teaching = teaching
        self.temporary_teacher = temporary_teacher
        self.feedback = feedback
        self.teacher_passes = teacher_passes
        self.distillation_warmup = distillation_warmup

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
        if "intensive" in self.teachings:
            ratio = self._mixing_ratio(mixing_seed)  # lambda
            mixed_images = ratio * images + (1 - ratio) * tf.gather(images, hardest)
            with tf.GradientTape(persistent=True) as pivot_tape:
                lesson = losses.intensive_teaching(
                    labels,
                    tf.gather(labels, hardest),
                    self.logits(self.pivot_name, mixed_images),
                    ratio,
                )
            self.learn(self.pivot_name, pivot_tape, lesson, global_batch)
            self.record_lesson("intensive", lesson)
        pivot_logits = self._logits_of_teacher(self.pivot_name, images)

        # 5. Private teaching (updates each temporary teacher).
        self._teach("private", is_teacher, labels, logits, [pivot_logits], tape, global_batch)

        # 6. Group teaching (updates every other student).
        all_teachers = [pivot_logits]
        if "group" in self.teachings:
            all_teachers += self._logits_of_temporary(teachers, is_teacher, images, logits)
        self._teach("group", ~is_teacher, labels, logits, all_teachers, tape, global_batch)

        # 7. Demote: no role outlives the mini-batch, only the record of them.
        self.remember(teachers)
        logits = {self.pivot_name: pivot_logits, **logits}
        self.record_mini_batch(labels, logits, mean_losses, is_teacher)
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
        if self.temporary_teacher != "online":
            return tf.constant([self.student_names.index(self.temporary_teacher)])
        is_due = tf.convert_to_tensor(self.mini_batches) % self.role_change_interval == 0
        promoted = roles.promote(mean_losses, self.temporary_teachers)
        return tf.where(is_due, promoted, tf.convert_to_tensor(self.recent_teachers)[-1])

    def _mixing_ratio(self, seed):
        """Returns lambda, the mini-batch's own part of what the pivot learns from."""
        if self.feedback == "mixed":
            return feedback.mixing_ratio(self.mixup_alpha, seed)
        return tf.constant(1.0 if self.feedback == "training" else 0.0)

    def _teach(self, teaching, learns, labels, logits, teachers, tape, global_batch):
        """Teaches the students for whom `learns`, of shape `[N]`, is True."""
        if teaching not in self.teachings:
            teachers = []
        elif self.teaching == "ensemble":
            teachers = [tf.add_n(teachers) / len(teachers)]
        weight, lessons = self._weight(), []
        for name, when in zip(logits, tf.unstack(learns)):
            with tape:
                lesson = losses.teaching(labels, logits[name], teachers, self.temperature, weight)
            self.learn(name, tape, lesson, global_batch, when)
            lessons.append(lesson)
        self.record_lesson(teaching, tf.stack(lessons), tf.cast(learns, tf.float32))

    def _weight(self):
        """Returns beta, which rises during the warm-up."""
        if not self.distillation_warmup:
            return self.distillation_weight
        done = tf.cast(tf.convert_to_tensor(self.mini_batches), tf.float32)
        return self.distillation_weight * tf.minimum(done / self.distillation_warmup, 1.0)

    def _logits_of_teacher(self, name, images):
        """Runs a member that has just learnt, so that it can teach."""
        if self.teacher_passes == "inference":
            return self.logits(name, images, training=False)
        learns = name != self.pivot_name or "intensive" in self.teachings
        if self.teacher_passes == "training" and learns:
            return self.logits(name, images)
        statistics = self.members[name].non_trainable_variables
        before = [tf.identity(statistic) for statistic in statistics]
        logits = self.logits(name, images)
        for statistic, value in zip(statistics, before):
            statistic.assign(value)
        return logits

    def _logits_of_temporary(self, teachers, is_teacher, images, logits):
        """Runs the temporary teachers again, after their lesson; a list of k logits."""
        again = self._logits_of_teacher
        updated = [
            branch(when, lambda x, _, name=name: again(name, x), lambda _, z: z, images, z)
            for when, (name, z) in zip(tf.unstack(is_teacher), logits.items())
        ]
        return tf.unstack(tf.gather(tf.stack(updated), teachers))

    def get_config(self):
        return {**super().get_config(), **{name: getattr(self, name) for name in ARGUMENTS}}
