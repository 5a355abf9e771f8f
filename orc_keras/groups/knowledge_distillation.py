"""Knowledge distillation from teachers that are already trained: KD, TAKD and DGKD."""

from collections.abc import Iterable
from typing import Annotated

import keras
import tensorflow as tf

from orc_keras.arguments import Range, Seed
from orc_keras.groups import losses
from orc_keras.groups.losses import DistillationWeight, Temperature
from orc_keras.groups.network_group import GROUP, NetworkGroup
from orc_keras.groups.registry import method


@method("kd")
class KnowledgeDistillation(NetworkGroup):
    """Every student learns from the labels and from the pivot (Hinton et al. 2015, section 2).

    The pivot is trained beforehand and fixed; it runs in inference mode, as usual. Each student's
    loss is

        L = (1 - beta) CE(y, z) + beta KD(z, z_pivot).

    Args:
        pivot: as in `NetworkGroup`; so are the errors.
        students: the same.
        name: the same.
        temperature: Temperature (T) that softens distilled logits; above 0.
        distillation_weight: Weight of the teachers against the labels (beta); 0 to 1.

    Examples:
        >>> networks = [models.build(name, (8, 8, 1), 10) for name in ("resnet14", "resnet8")]
        >>> group = orc_keras.KnowledgeDistillation(networks[0], networks[1:], temperature=4.0)
        >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        >>> history = group.fit(images, labels, verbose=0)
    """

    description = "knowledge distillation from the pivot"

    def __init__(
        self,
        pivot: keras.Model,
        students: Iterable[keras.Model],
        temperature: Temperature = 4.0,
        distillation_weight: DistillationWeight = 0.5,
        name: str | None = None,
        **arguments,
    ):
        arguments |= {"temperature": temperature, "distillation_weight": distillation_weight}
        super().__init__(pivot, students, name, **arguments)

    def group_stages(self):
        return {GROUP: tuple(self.student_names)}

    @property
    def participants(self):
        teachers = [teacher for name in self.learners for teacher in self.teachers_of(name)]
        return tuple(name for name in self.members if name in (*teachers, *self.learners))

    def teachers_of(self, name: str) -> list[str]:
        """Returns the names of the members that teach the student `name`."""
        return [self.pivot_name]

    def train_step(self, data):
        images, labels, weights = self.unpack(data)
        teachers = [name for name in self.participants if name not in self.learners]
        logits = {name: self.forward(name, images, training=False) for name in teachers}
        for name in self.learners:
            teacher_logits = [logits[teacher] for teacher in self.teachers_of(name)]
            with tf.GradientTape(persistent=True) as tape:
                logits[name] = self.forward(name, images)
                per_sample_loss = self.per_sample_loss(labels, logits[name], teacher_logits)
            self.apply_gradients(name, tape, per_sample_loss, weights)
        return self.record(labels, logits, weights)

    def per_sample_loss(
        self, labels: tf.Tensor, logits: tf.Tensor, teacher_logits: list[tf.Tensor]
    ) -> tf.Tensor:
        """Returns a student's loss for each sample, shape `[B]`.

        Args:
            labels: y, shape `[B]`.
            logits: the student's z, shape `[B, C]`.
            teacher_logits: of each of its teachers, shape `[B, C]`.
        """
        return losses.teaching(
            labels,
            logits,
            teacher_logits,
            self.temperature,
            self.distillation_weight,
            self.label_smoothing,
        )


def _one_by_one(student_names):
    """Returns stages that train one student each, in order; the last stage is "group"."""
    *assistants, student = student_names
    return {f"stage{i}": (name,) for i, name in enumerate(assistants, 1)} | {GROUP: (student,)}


@method("takd")
class TeacherAssistants(KnowledgeDistillation):
    """A chain: each member is taught by the one before it (TAKD, Mirzadeh et al. 2020).

    All students but the last are teacher assistants. As in the paper, each stage trains one
    student, with the loss of `KnowledgeDistillation`; its teacher is the member before it, already
    trained. `fit` trains one stage after the other; to train a single one, call
    `group.set_stage(stage)` before.

    Arguments and errors are those of `KnowledgeDistillation`.

    Examples:
        >>> networks = [models.build(n, (8, 8, 1), 10) for n in ("resnet20", "resnet14", "resnet8")]
        >>> group = orc_keras.TeacherAssistants(networks[0], networks[1:])
        >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        >>> history = group.fit_pivot(images, labels, verbose=0)
        >>> history = group.fit(images, labels, verbose=0)
        >>> group.stages
        {'pivot': ('resnet20',), 'stage1': ('resnet14',), 'group': ('resnet8',)}
    """

    description = "knowledge distillation through a chain of teacher assistants (TAKD)"

    def group_stages(self):
        return _one_by_one(self.student_names)

    def teachers_of(self, name):
        names = list(self.members)
        return [names[names.index(name) - 1]]


@method("dgkd")
class DenselyGuided(KnowledgeDistillation):
    """Each member is taught by all before it (DGKD, Son et al. 2021).

    The students learn one after the other, as in `TeacherAssistants`. With n assistants before it,
    a student's loss is that of equation 7,

        L = (n + 1) (1 - beta) CE(y, z) + beta [KD(z, z_pivot) + sum_a KD(z, z_a)].

    In each mini-batch a teacher is kept with the survival probability ("stochastic DGKD"). Our
    reading: even an assistant's only teacher can be dropped, and the factor of the label term does
    not change. (The authors' program drops a fixed number of teachers, and has the factor 1 in
    place of n + 1.)

    Args:
        pivot: as in `NetworkGroup`; so are the errors.
        students: the same.
        name: the same.
        temperature: Temperature (T) that softens distilled logits; above 0.
        distillation_weight: Weight of the teachers against the labels (beta); 0 to 1.
        survival_probability: Probability that dgkd keeps a teacher in a mini-batch.
        seed: Seed of all that is random.

    Examples:
        >>> networks = [models.build(n, (8, 8, 1), 10) for n in ("resnet20", "resnet14", "resnet8")]
        >>> group = orc_keras.DenselyGuided(networks[0], networks[1:], seed=1)
        >>> group.set_stage("group")
        >>> group.teachers_of("resnet8")
        ['resnet20', 'resnet14']
    """

    description = "knowledge distillation by all larger members (DGKD)"

    def __init__(
        self,
        pivot: keras.Model,
        students: Iterable[keras.Model],
        temperature: Temperature = 4.0,
        distillation_weight: DistillationWeight = 0.5,
        survival_probability: Annotated[float, Range(above=0, at_most=1)] = 0.75,
        seed: Seed = 0,
        name: str | None = None,
    ):
        arguments = {"survival_probability": survival_probability, "seed": seed}
        super().__init__(pivot, students, temperature, distillation_weight, name, **arguments)
        self.mini_batches = self.add_state("mini_batches", (), "int64")

    def group_stages(self):
        return _one_by_one(self.student_names)

    def teachers_of(self, name):
        names = list(self.members)
        return names[: names.index(name)]

    def per_sample_loss(self, labels, logits, teacher_logits):
        survive = self._survivors(len(teacher_logits))
        distilled = [losses.distillation(logits, t, self.temperature) for t in teacher_logits]
        distilled = tf.add_n([kept * each for kept, each in zip(survive, distilled)])
        labelled = len(teacher_logits) * losses.cross_entropy(labels, logits, self.label_smoothing)
        beta = self.distillation_weight
        return (1 - beta) * labelled + beta * distilled

    def _survivors(self, teachers):
        """Draws 1 (kept) or 0 for each teacher, the same on every replica."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.convert_to_tensor(self.mini_batches)])
        self.mini_batches.assign_add(1)
        drawn = tf.random.stateless_uniform([teachers], seed) < self.survival_probability
        return tf.unstack(tf.cast(drawn, tf.float32))
