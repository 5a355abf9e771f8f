"""NetworkGroup: several networks, trained as one `keras.Model`."""

import keras
import tensorflow as tf

from orc_keras.groups import (
    compilation,
    input_validation,
    losses,
    members,
    optimizers,
    sample_weights,
)
from orc_keras.groups.arguments import ARGUMENTS
from orc_keras.groups.base_model import GroupModel, per_replica
from orc_keras.groups.member_metrics import MemberMetrics

PIVOT = "pivot"  # the stage in which the pivot is trained alone
GROUP = "group"  # the last stage of every method


class NetworkGroup(GroupModel):
    """Networks with the same input and classes, each with its own optimizer and metrics.

    The base class of all methods. A method overrides `train_step`; here each learner trains
    independently, on the labels, by cross-entropy. Called on images, a group returns the logits of
    the student, its last member.

    Args:
        pivot: the pivot teacher, a built `keras.Model` from images to logits.
        students: the other networks, also built models; the last one is *the* student.
        name: the name of the group.

    Attributes:
        members: the networks by name, in order, the pivot first. A repeated name is numbered:
            `wrn_40_1`, `wrn_40_1_2`, ...
        pivot_name, student_names: the names of the pivot and of the students in `members`.
        num_classes: C, the number of logits of each member.
        optimizers: after `compile`, each member's optimizer, by name.
        way: the method in a phrase, for summaries.
        pivot_learns_before: whether the pivot is trained alone before the group.
        stage, learners: the current stage, and the names of the members that learn in it.
        member_metrics: `MemberMetrics`.
        role_record: `RoleRecord`, or None if roles do not change.
        label_smoothing, learning_rate_factors: as given to `compile`.

    Raises:
        ValueError: if a member is not built, shares weights with another, does not return logits,
            or differs from the others in its input or number of classes; if there are no
            students; if an argument is out of its range.
    """

    description = "several networks, trained as one"
    pivot_learns_before = True
    role_record = None
    label_smoothing, learning_rate_factors = 0.0, {}

    def __init__(self, pivot, students, name=None):
        super().__init__(name=name)
        networks = [pivot, *members.as_list("students", students)]
        members.check_members(networks)
        self.members = members.name_members(networks)
        self.pivot_name, *self.student_names = self.members
        self.num_classes = members.num_classes(networks[-1])
        self.member_metrics = MemberMetrics(list(self.members))
        self.optimizers = {}
        self._method_arguments = ()
        self.built = True
        self.stage, self.learners = [s for s in self.stages.items() if s[0] != PIVOT][0]

    def take(self, **arguments):
        """Checks arguments of the method, and makes them attributes, which are saved."""
        for name, given in arguments.items():
            ARGUMENTS[name].check(name, given)
            setattr(self, name, tuple(given) if isinstance(given, list) else given)
        self._method_arguments += tuple(arguments)

    # Stages and members

    @property
    def stages(self):
        """The names of the members that learn in each stage, by stage, in order.

        If the pivot is trained alone first, that is the stage "pivot". A new group starts in the
        stage after it, because the pivot has often been trained already.
        """
        before = {PIVOT: (self.pivot_name,)} if self.pivot_learns_before else {}
        return before | self.stages_of_method()

    def stages_of_method(self):
        """Returns the stages after the pivot's; the last one is "group"."""
        return {GROUP: tuple(self.members)}

    def set_stage(self, stage):
        """Enters a stage for `fit`; its learners, except *the* student, get new optimizers."""
        if stage not in self.stages:
            raise ValueError(f"A stage must be one of {', '.join(self.stages)}, not {stage}.")
        self.stage, self.learners = stage, self.stages[stage]
        if self.compiled:
            self._make_optimizers(self.learners)
            self.make_train_function(force=True)  # other learners: trace again
            self.make_test_function(force=True)

    @property
    def measured(self):
        """Names of the members whose metrics a training step updates."""
        return self.learners if self.stage == PIVOT else tuple(self.members)

    @property
    def pivot(self):
        """The pivot teacher, a `keras.Model`."""
        return self.members[self.pivot_name]

    @property
    def students(self):
        """All members except the pivot, a list of `keras.Model`."""
        return list(self.members.values())[1:]

    @property
    def student(self):
        """*The* student, the small network that the group is trained for."""
        return self.students[-1]

    # The interface of any Keras model

    def compile(self, optimizer, *others, **options):
        """Gives every member its own copy of the optimizer.

        *The* student keeps the given one, `group.optimizer`. The copies follow its learning rate,
        so that a callback that sets it sets all. They do not inherit `exclude_from_weight_decay`.
        Losses are not an argument: the method defines them.

        Args:
            optimizer: a Keras optimizer or its name.
            *others: refused; Keras's second argument is a loss.
            **options: `run_eagerly`, `steps_per_execution`, `jit_compile` and `auto_scale_loss` as
                in `keras.Model.compile`, but XLA is off unless asked for. Besides,
                `label_smoothing`, the share of each label that is spread over all classes while
                members learn, 0; and `learning_rate_factors`, learning rates by member as multiples
                of the optimizer's, such as `{"resnet50": 0.1}` for a pivot that has learnt already:
                those of all but *the* student, in all stages but that of the pivot alone.

        Raises:
            ValueError: if there are other arguments, such as a loss or metrics; if the optimizer
                has trained another model, or averages weights (`use_ema=True`), because Keras would
                assign the student's averages to the other members; on several replicas, if XLA is
                requested, if the optimizer clips gradients, or if a member has BatchNorms that
                Keras synchronises.
        """
        options = compilation.checked(self, others, options)
        self.label_smoothing = options.pop("label_smoothing")
        self.learning_rate_factors = options.pop("learning_rate_factors")
        with self.distribute_strategy.scope():
            super().compile(compilation.own_optimizer(self, optimizer), **options)
        self._make_optimizers(self.members)

    def _make_optimizers(self, names):
        """Gives members new optimizers; *the* student has the compiled one."""
        with self.distribute_strategy.scope():
            rates = {name: self._learning_rate_factor(name) for name in names}
            new = {name: optimizers.copy_of(self.optimizer, rate) for name, rate in rates.items()}
            new[self.student_names[-1]] = self.optimizer
            optimizers.build({self.members[name]: each for name, each in new.items()})
        self.optimizers = {**self.optimizers, **new}

    def _learning_rate_factor(self, name):
        """Returns a member's learning rate in this stage as a multiple of the compiled one."""
        return 1.0 if self.stage == PIVOT else self.learning_rate_factors.get(name, 1.0)

    def get_config(self):
        return {
            "name": self.name,
            "pivot": keras.saving.serialize_keras_object(self.pivot),
            "students": keras.saving.serialize_keras_object(self.students),
            **{name: getattr(self, name) for name in self._method_arguments},
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects)
            for key in ("pivot", "students")
        }
        return cls(**config | networks)

    # Metrics

    @property
    def metrics(self):
        metrics = self.member_metrics.metrics(self._shown())
        return [*metrics, *self._metrics_of_roles()]

    def get_metrics_result(self):
        """Returns the metrics by name: those of an evaluation while it runs, else of training."""
        results = {metric.name: metric.result() for metric in self._metrics_of_roles()}
        return self.member_metrics.results(self._shown()) | results

    def _shown(self):
        """Returns the names of the members whose metrics are reported at present."""
        everybody = self.is_evaluating and self.stage != PIVOT
        return tuple(self.members) if everybody else self.measured

    def _metrics_of_roles(self):
        change = self.role_record and not self.is_evaluating and self.stage != PIVOT
        return self.role_record.metrics if change else []

    def record(self, labels, logits, weights):
        """Updates the metrics from logits by member; returns all results, for `train_step`.

        Args:
            labels: `[B]`.
            logits: of each member, by name.
            weights: of samples, as they were given, `[B]`; None: all are 1.
        """
        for name, z in logits.items():
            self.member_metrics.record(name, labels, z, weights)
        return per_replica(self.get_metrics_result())

    # The steps and their parts

    def train_step(self, data):
        images, labels, weights = self.unpack(data)
        logits = {}
        for name in self.learners:
            with tf.GradientTape(persistent=True) as tape:
                logits[name] = self.logits(name, images)
                per_sample_loss = losses.cross_entropy(labels, logits[name], self.label_smoothing)
            self.apply_gradients(name, tape, per_sample_loss, weights)
        return self.record(labels, logits, weights.given)

    def test_step(self, data):
        images, labels, weights = self._checked(data)
        with self.evaluating():
            logits = {name: self.logits(name, images, training=False) for name in self._shown()}
            return self.record(labels, logits, weights)

    def unpack(self, data):
        """Returns float images, integer labels of shape `[B]`, and `SampleWeights`."""
        images, labels, weights = self._checked(data)
        return images, labels, sample_weights.over_replicas(weights, labels)

    def _checked(self, data):
        return input_validation.unpack(data, members.image_shape(self.student), self.num_classes)

    def logits(self, name, images, training=True):
        """Returns the float32 logits of member `name`, shape `[B, C]`."""
        return tf.cast(self.members[name](images, training=training), tf.float32)

    def add_state(self, name, shape, dtype):
        """Returns a variable of the training state, the same on every replica."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def apply_gradients(self, name, tape, sample_losses, weights, when=None):
        """Makes one optimizer step of member `name` on the weighted mean of `sample_losses`.

        Args:
            name: of the member.
            tape: a persistent `tf.GradientTape` that has recorded `sample_losses`.
            sample_losses: the loss of each sample of this replica, shape `[B]`.
            weights: `SampleWeights`. The replicas' gradients are summed, so each divides by the
                sum of all weights.
            when: a boolean, the same on every replica; False skips the step.
        """
        optimizer = self.optimizers[name]
        with tape:  # entered again, to record the mean and the loss scale as well
            loss = optimizer.scale_loss(weights.mean(weights.sum(sample_losses)))
        optimizers.step(optimizer, tape, loss, self.members[name].trainable_variables, when)
