"""NetworkGroup: several networks, trained as one `keras.Model`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from orc_keras.arguments import arguments_of, check_arguments
from orc_keras.groups import input_validation, losses, members, optimizers, sample_weights, steps
from orc_keras.groups.base_model import PIVOT, GroupModel
from orc_keras.groups.member_metrics import MemberMetrics
from orc_keras.groups.sample_weights import SampleWeights

GROUP = "group"  # the last stage of every method


class NetworkGroup(GroupModel):
    """Networks with the same input and classes, each with its own optimizer and metrics.

    The base class of all methods. A method overrides `train_step`; here each learner trains
    independently, on the labels, by cross-entropy, and so does the pivot in its own stage in every
    method. Called on images, a group returns the logits of the student, its last member.

    Args:
        pivot: the pivot teacher, a built `keras.Model` from images to logits.
        students: the other networks, also built models; the last one is *the* student.
        name: the name of the group.
        **arguments: those of the method, as in its signature; they become attributes.

    Attributes:
        members: the networks by name, in order, the pivot first. A repeated name is numbered:
            `wrn_40_1`, `wrn_40_1_2`, ...
        pivot_name, student_names: the names of the pivot and of the students in `members`.
        num_classes: C, the number of logits of each member.
        optimizers: after `compile`, each member's optimizer, by name.
        description: the method in a phrase, for summaries.
        trains_pivot_first: whether the pivot is trained alone before the group.
        stage, learners: the current stage, and the names of the members that learn in it.
        member_metrics: `MemberMetrics`.
        role_record: `RoleRecord`, or None if roles do not change.
        label_smoothing, learning_rate_factors: as given to `compile`, and the pivot's factor.

    Raises:
        ValueError: if a member is not built, shares weights with another, does not return logits,
            or differs from the others in its input or number of classes; if there are no
            students; if an argument is out of its range.
    """

    description = "several networks, trained as one"
    trains_pivot_first = True
    role_record: Any = None

    if TYPE_CHECKING:  # the arguments of a method are attributes

        def __getattr__(self, name: str) -> Any: ...

    def __init__(
        self,
        pivot: keras.Model,
        students: Iterable[keras.Model],
        name: str | None = None,
        **arguments: Any,
    ):
        super().__init__(name=name)
        check_arguments(type(self), arguments)
        for argument, value in arguments.items():
            setattr(self, argument, tuple(value) if isinstance(value, list) else value)
        networks = [pivot, *members.as_list("students", students)]
        members.check_members(networks)
        self.members = members.name_members(networks)
        self.pivot_name, *self.student_names = self.members
        self.num_classes = members.num_classes(networks[-1])
        self.member_metrics = MemberMetrics(list(self.members))
        self.built = True
        self.test_step = steps.waiting_for_data(lambda data: type(self).test_step(self, data))
        self._use_stage(next(iter(self.group_stages())))

    # Stages and members

    @property
    def stages(self) -> dict[str, tuple[str, ...]]:
        """The names of the members that learn in each stage, by stage, in order.

        If the pivot is trained alone first, that is the stage "pivot". A new group starts in the
        stage after it, because the pivot has often been trained already.
        """
        first = {PIVOT: (self.pivot_name,)} if self.trains_pivot_first else {}
        return first | self.group_stages()

    def group_stages(self) -> dict[str, tuple[str, ...]]:
        """Returns the stages after the pivot's; the last one is "group"."""
        return {GROUP: tuple(self.members)}

    def set_stage(self, stage: str) -> None:
        """Begins a stage, the only one that `fit` trains from now on.

        Its learners, except *the* student, get new optimizers.
        """
        if stage not in self.stages:
            raise ValueError(f"A stage must be one of {', '.join(self.stages)}, not {stage}.")
        self._use_stage(stage)
        self.trains_all_stages = False
        if self.compiled:
            self.make_optimizers(self.learners)
            self.make_train_function(force=True)  # other learners: trace again
            self.make_test_function(force=True)

    def _use_stage(self, stage):
        self.stage, self.learners = stage, self.stages[stage]
        # The pivot alone learns in the same way in every method: by this class's step.
        kind = NetworkGroup if stage == PIVOT else type(self)
        self.train_step = steps.waiting_for_data(lambda data: kind.train_step(self, data))

    @property
    def participants(self) -> Sequence[str]:
        """Names of the members that take part in a training step of the group, in order."""
        return tuple(self.members)

    @property
    def reported_members(self) -> Sequence[str]:
        """Names of the members whose metrics are reported at present, in order."""
        if self.stage == PIVOT:
            return self.learners
        return tuple(self.members) if self.is_evaluating else self.participants

    @property
    def pivot(self) -> keras.Model:
        """The pivot teacher."""
        return self.members[self.pivot_name]

    @property
    def students(self) -> list[keras.Model]:
        """All members except the pivot."""
        return list(self.members.values())[1:]

    @property
    def student(self) -> keras.Model:
        """*The* student, the small network that the group is trained for."""
        return self.students[-1]

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "pivot": keras.saving.serialize_keras_object(self.pivot),
            "students": keras.saving.serialize_keras_object(self.students),
            **{name: getattr(self, name) for name in arguments_of(type(self))},
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        deserialize = keras.saving.deserialize_keras_object
        networks = {n: deserialize(config[n], custom_objects) for n in ("pivot", "students")}
        return cls(**config | networks)

    # Metrics

    @property
    def metrics(self) -> list[keras.Metric]:
        return [*self.member_metrics.metrics(self.reported_members), *self._role_metrics()]

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the metrics by name: those of an evaluation while it runs, else of training."""
        results = {metric.name: metric.result() for metric in self._role_metrics()}
        return self.member_metrics.results(self.reported_members) | results

    def _role_metrics(self):
        changes = self.role_record and not self.is_evaluating and self.stage != PIVOT
        return self.role_record.metrics if changes else []

    def record(
        self, labels: tf.Tensor, logits: Mapping[str, tf.Tensor], weights: SampleWeights | Any
    ) -> dict[str, Any]:
        """Updates the metrics; returns all results, for `train_step`.

        Args:
            labels: y, `[B]`.
            logits: of each member, by name.
            weights: `SampleWeights`, or those of the samples as given, `[B]`; None: all are 1.
        """
        weights = getattr(weights, "unscaled", weights)
        for name, z in logits.items():
            self.member_metrics.record(name, labels, z, weights)
        return steps.with_replica_axis(self.get_metrics_result())

    # The steps and their parts

    def train_step(self, data) -> dict[str, Any]:
        images, labels, weights = self.unpack(data)
        logits = {}
        for name in self.learners:
            with tf.GradientTape(persistent=True) as tape:
                logits[name] = self.forward(name, images)
                per_sample_loss = losses.cross_entropy(labels, logits[name], self.label_smoothing)
            self.apply_gradients(name, tape, per_sample_loss, weights)
        return self.record(labels, logits, weights)

    def test_step(self, data) -> dict[str, Any]:
        images, labels, weights = self._checked(data)
        with self.evaluating():
            logits = {n: self.forward(n, images, training=False) for n in self.reported_members}
            return self.record(labels, logits, weights)

    def unpack(self, data) -> tuple[tf.Tensor, tf.Tensor, SampleWeights]:
        """Returns float images, integer labels of shape `[B]`, and `SampleWeights`."""
        images, labels, weights = self._checked(data)
        return images, labels, sample_weights.make_sample_weights(weights, labels)

    def _checked(self, data):
        return input_validation.unpack(data, members.image_shape(self.student), self.num_classes)

    def forward(self, name: str, images: tf.Tensor, training: bool = True) -> tf.Tensor:
        """Returns the float32 logits of member `name`, shape `[B, C]`."""
        return tf.cast(self.members[name](images, training=training), tf.float32)

    def add_state(self, name: str, shape: tuple[int, ...], dtype: str) -> keras.Variable:
        """Returns a variable of the training state, the same on every replica."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def apply_gradients(
        self,
        name: str,
        tape: tf.GradientTape,
        per_sample_loss: tf.Tensor,
        weights: SampleWeights,
        pred: tf.Tensor | None = None,
    ) -> None:
        """Makes one optimizer step of member `name` on the weighted mean of its loss.

        Args:
            name: of the member.
            tape: a persistent `tf.GradientTape` that has recorded `per_sample_loss`.
            per_sample_loss: the loss of each sample of this replica, shape `[B]`.
            weights: `SampleWeights`. The replicas' gradients are summed, so each divides by the
                sum of all weights.
            pred: a boolean, the same on every replica; False skips the step.
        """
        optimizer = self.optimizers[name]
        with tape:  # entered again, to record the mean and the loss scale as well
            loss = optimizer.scale_loss(weights.divide_by_total(weights.sum(per_sample_loss)))
        optimizers.step(optimizer, tape, loss, self.members[name].trainable_variables, pred)
