"""Group knowledge distillation with online role change (Choi et al., ICCV 2023)."""

from collections.abc import Iterable
from typing import Annotated, Literal

import keras
import tensorflow as tf

from orc_keras.arguments import Range, Seed
from orc_keras.distribution.cross_replica_cond import cross_replica_cond
from orc_keras.groups import feedback, losses, roles
from orc_keras.groups.compilation import Factor
from orc_keras.groups.losses import DistillationWeight, Temperature
from orc_keras.groups.network_group import NetworkGroup
from orc_keras.groups.registry import method
from orc_keras.groups.role_record import RoleRecord

Teaching = Literal["intensive", "private", "group"]


@method("orc")
class OnlineRoleChange(NetworkGroup):
    """A group whose most confident students become temporary teachers in every mini-batch.

    In a mini-batch a student takes one forward and one backward pass, a temporary teacher one more
    forward pass.

    Args:
        pivot: the pivot teacher, a built `keras.Model` from images to logits. Usually trained
            alone beforehand; it continues to learn here.
        students: at least two other networks; the last one is *the* student.
        temperature: Temperature (T) that softens distilled logits; above 0.
        distillation_weight: Weight of the teachers against the labels (beta); 0 to 1.
        mixup_alpha: Alpha of the Beta distribution that mixes the feedback into the pivot's images;
            0: no mixing.
        num_temporary_teachers: Students promoted in a mini-batch (k), fewer than there are
            students.
        role_change_interval: Mini-batches between changes of roles (m); 1 in the paper.
        seed: Seed of all that is random.
        teachings: Which teachings take place, any of intensive, private and group. Without
            intensive teaching the pivot does not change; without private or group teaching its
            students learn from the labels only (our reading).
        teacher_aggregation: How several teachers teach: individual, each by itself; ensemble, by
            the mean of their logits.
        fixed_teacher: Name of a student that always is the temporary teacher (TT); empty: the most
            confident one of each mini-batch.
        feedback: What the pivot learns from: mixed, the mini-batch and the students' feedback,
            mixed up; feedback, that only; training, the mini-batch only.
        teacher_bn_mode: BatchNorm in a teacher's forward pass: training, batch statistics, which
            update the moving ones; batch, without the update; inference, moving statistics.
        distillation_warmup: Mini-batches over which beta rises linearly from 0; 0 in the paper.
        pivot_learning_rate: The pivot's learning rate in the group as a multiple of the students';
            not in the paper (our reading). The default is for a pivot that has been trained as long
            as the group will be; one that has not should have 1.
        name: the name of the group.

    Raises:
        ValueError: if an argument is out of its range, or as in `NetworkGroup`.

    Examples:
        >>> names = ("resnet20", "resnet14", "resnet8")
        >>> pivot, *students = (models.build(name, (8, 8, 1), num_classes=10) for name in names)
        >>> group = orc_keras.OnlineRoleChange(pivot, students)
        >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        >>> alone = group.fit_pivot(images, labels, verbose=0)
        >>> history = group.fit(images, labels, verbose=0)
        >>> sorted(key for key in history.history if key.endswith("taught"))
        ['resnet14_taught', 'resnet8_taught']
    """

    description = "group knowledge distillation with online role change"

    def __init__(
        self,
        pivot: keras.Model,
        students: Iterable[keras.Model],
        temperature: Temperature = 4.0,
        distillation_weight: DistillationWeight = 0.5,
        mixup_alpha: Annotated[float, Range(at_least=0)] = 1.0,
        num_temporary_teachers: Annotated[int, Range(at_least=1)] = 1,
        role_change_interval: Annotated[int, Range(at_least=1)] = 1,
        seed: Seed = 0,
        teachings: tuple[Teaching, ...] = ("intensive", "private", "group"),
        teacher_aggregation: Literal["individual", "ensemble"] = "individual",
        fixed_teacher: str = "",
        feedback: Literal["mixed", "feedback", "training"] = "mixed",
        teacher_bn_mode: Literal["training", "batch", "inference"] = "training",
        distillation_warmup: Annotated[int, Range(at_least=0)] = 0,
        pivot_learning_rate: Factor = 0.01,
        name: str | None = None,
    ):
        super().__init__(
            pivot,
            students,
            name,
            temperature=temperature,
            distillation_weight=distillation_weight,
            mixup_alpha=mixup_alpha,
            num_temporary_teachers=num_temporary_teachers,
            role_change_interval=role_change_interval,
            seed=seed,
            teachings=teachings,
            teacher_aggregation=teacher_aggregation,
            fixed_teacher=fixed_teacher,
            feedback=feedback,
            teacher_bn_mode=teacher_bn_mode,
            distillation_warmup=distillation_warmup,
            pivot_learning_rate=pivot_learning_rate,
        )
        self._check_teachers()
        self.role_record = RoleRecord(
            self.add_state, self.student_names, num_temporary_teachers, self.teachings
        )

    def _check_teachers(self):
        """Refuses temporary teachers that leave no student to teach, or are not students."""
        names, k = self.student_names, self.num_temporary_teachers
        if len(names) < 2:
            raise ValueError(
                f"A group needs at least two students, not {len(names)}: when the only student is "
                "the temporary teacher, nobody is left to be taught."
            )
        if k >= len(names):
            raise ValueError(
                "num_temporary_teachers must be at least 1 and below the number of students, "
                f"{len(names)}, not {k}."
            )
        if self.fixed_teacher and self.fixed_teacher not in names:
            raise ValueError(
                f"fixed_teacher must be one of {', '.join(names)}, not {self.fixed_teacher!r}."
            )
        if self.fixed_teacher and k != 1:
            raise ValueError(
                f"num_temporary_teachers must be 1 where the temporary teacher is fixed, not {k}."
            )

    def train_step(self, data):
        """Trains on one mini-batch; numbers and letters are the steps and symbols of the method."""
        images, labels, weights = self.unpack(data)  # x [B, height, width, channels], y and w [B]
        order_seed, mixing_seed = self._seeds()

        # 1. Assess. This is each student's only forward pass: steps 5 and 6 differentiate it.
        with tf.GradientTape(persistent=True) as tape:
            logits = {name: self.forward(name, images) for name in self.student_names}
        sample_losses = tf.stack([losses.cross_entropy(labels, z) for z in logits.values()])
        mean_losses = weights.global_mean(sample_losses)  # l [N, B], L [N]

        # 2. Change roles.
        teachers = self._change_roles(mean_losses)  # [k]
        is_teacher = roles.as_mask(teachers, len(logits))  # [N]
        is_student = tf.logical_not(is_teacher)  # R, the student group

        # 3. Collect feedback.
        allocation = feedback.allocate(mean_losses, is_teacher, num_samples=tf.shape(labels)[0])
        hardest = feedback.select_hardest(weights.relative * sample_losses, allocation)
        hardest = feedback.shuffle(hardest, order_seed)  # [B]

        # 4. Intensive teaching (updates the pivot).
        if "intensive" in self.teachings:
            self._teach_pivot(images, labels, weights, hardest, mixing_seed)
        pivot_logits = self._teacher_logits(self.pivot_name, images)

        # 5. Private teaching (updates each temporary teacher).
        self._teach("private", is_teacher, labels, weights, logits, [pivot_logits], tape)

        # 6. Group teaching (updates every other student).
        all_teachers = [pivot_logits]
        if "group" in self.teachings:
            all_teachers += self._temporary_teacher_logits(teachers, is_teacher, images, logits)
        self._teach("group", is_student, labels, weights, logits, all_teachers, tape)

        # 7. Demote. Roles end with the mini-batch; only their record remains.
        self.role_record.record(teachers, is_teacher, mean_losses)
        return self.record(labels, {self.pivot_name: pivot_logits, **logits}, weights)

    def _seeds(self):
        """Returns two seeds, functions of (seed, mini-batch), the same on every replica."""
        mini_batch = tf.convert_to_tensor(self.role_record.mini_batches)
        return tf.unstack(tf.random.split(tf.stack([tf.constant(self.seed, tf.int64), mini_batch])))

    def _change_roles(self, mean_losses):
        """Promotes the most confident students, or keeps the last choice until a change is due."""
        if self.fixed_teacher:
            return tf.constant([self.student_names.index(self.fixed_teacher)])
        mini_batches = tf.convert_to_tensor(self.role_record.mini_batches)
        is_due = mini_batches % self.role_change_interval == 0
        promoted = roles.promote(mean_losses, self.num_temporary_teachers)
        return tf.where(is_due, promoted, self.role_record.newest())

    def _teach_pivot(self, images, labels, weights, hardest, mixing_seed):
        """Trains the pivot on the mini-batch mixed with its samples `hardest`, indices `[B]`."""
        ratio = self._mixing_ratio(mixing_seed)  # lambda
        mixed_images = ratio * images + (1 - ratio) * tf.gather(images, hardest)
        feedback_labels = tf.gather(labels, hardest)
        with tf.GradientTape(persistent=True) as tape:
            logits = self.forward(self.pivot_name, mixed_images)
            per_sample_loss = losses.intensive_teaching(
                labels, feedback_labels, logits, ratio, self.label_smoothing
            )
        self.apply_gradients(self.pivot_name, tape, per_sample_loss, weights)
        self.role_record.record_teaching_loss("intensive", per_sample_loss, weights.relative)

    def _mixing_ratio(self, seed):
        """Returns lambda, the weight of the mini-batch against the feedback."""
        if self.feedback == "mixed":
            return feedback.mixing_ratio(self.mixup_alpha, seed)
        return tf.constant(1.0 if self.feedback == "training" else 0.0)

    def _teach(self, teaching, is_learner, labels, weights, logits, teacher_logits, tape):
        """Trains the students for which `is_learner`, of shape `[N]`, is True."""
        if teaching not in self.teachings:
            teacher_logits = []
        elif self.teacher_aggregation == "ensemble":
            teacher_logits = [tf.add_n(teacher_logits) / len(teacher_logits)]
        beta, student_losses = self._beta(), []
        for (name, z), pred in zip(logits.items(), tf.unstack(is_learner)):
            with tape:  # of step 1, entered again: it holds the student's only forward pass
                per_sample_loss = losses.teaching(
                    labels, z, teacher_logits, self.temperature, beta, self.label_smoothing
                )
            self.apply_gradients(name, tape, per_sample_loss, weights, pred)
            student_losses.append(per_sample_loss)
        learner_weights = tf.cast(is_learner, tf.float32)[:, None] * weights.relative  # [N, B]
        self.role_record.record_teaching_loss(teaching, tf.stack(student_losses), learner_weights)

    def _beta(self):
        """Returns beta, which rises linearly during the warm-up."""
        if not self.distillation_warmup:
            return self.distillation_weight
        done = tf.cast(tf.convert_to_tensor(self.role_record.mini_batches), tf.float32)
        return self.distillation_weight * tf.minimum(done / self.distillation_warmup, 1.0)

    def _teacher_logits(self, name, images):
        """Runs a teacher forward on the images, as `teacher_bn_mode` says."""
        if self.teacher_bn_mode == "inference":
            return self.forward(name, images, training=False)
        learns = name != self.pivot_name or "intensive" in self.teachings
        if self.teacher_bn_mode == "training" and learns:
            return self.forward(name, images)
        # "batch", or a pivot that must not change: batch statistics, moving ones put back.
        statistics = self.members[name].non_trainable_weights  # not the seeds of its dropout
        before = [tf.identity(statistic) for statistic in statistics]
        logits = self.forward(name, images)
        for statistic, value in zip(statistics, before):
            statistic.assign(value)
        return logits

    def _temporary_teacher_logits(self, teachers, is_teacher, images, logits):
        """Runs the temporary teachers again, after their update; a list of k logits."""
        updated = []
        for (name, z), pred in zip(logits.items(), tf.unstack(is_teacher)):
            run_again = lambda x, _, name=name: self._teacher_logits(name, x)  # noqa: E731
            updated.append(cross_replica_cond(pred, run_again, lambda _, z: z, images, z))
        return tf.unstack(tf.gather(tf.stack(updated), teachers))
