"""What a group changes in `keras.Model`. The only use of a private Keras name is here."""

import contextlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import keras
import tensorflow as tf

from orc_keras.arguments import Argument, Range, check_arguments
from orc_keras.groups import compilation, input_validation, optimizers
from orc_keras.groups.default_callbacks import check_for_several_stages, default_callbacks
from orc_keras.groups.members import check_weights, image_shape

if (backend := keras.backend.backend()) != "tensorflow":
    raise ImportError(f"orc_keras needs Keras's backend tensorflow; KERAS_BACKEND is {backend}.")

PIVOT = "pivot"  # the stage in which the pivot is trained alone
BATCH_SIZE = Argument("batch_size", Annotated[int, Range(at_least=1)])
VALIDATION_SPLIT = Argument("validation_split", Annotated[float, Range(at_least=0, below=1)])
OWN_OPTIONS = ("label_smoothing", "learning_rate_factors")  # of `compile`, besides Keras's


class GroupModel(keras.Model):
    """A `keras.Model` that checks its data and also trains on several machines.

    Everything must be built before `fit`, and a step returns `with_replica_axis(metrics)`. Calls
    and exports go to `student`, a network that a subclass provides.

    Attributes:
        is_evaluating: whether metrics are those of an evaluation, not of training.
        trains_all_stages: whether `fit` trains all stages but the pivot's; until one is set.
        pivot_learning_rate: the pivot's factor where `compile` is given none.
    """

    is_evaluating, trains_all_stages = False, True
    members: dict[str, keras.Model]
    student: keras.Model
    pivot_name: str
    student_names: list[str]
    stage: str
    optimizers: dict[str, keras.optimizers.Optimizer] = {}
    label_smoothing, learning_rate_factors = 0.0, {}
    pivot_learning_rate = 1.0

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # keras-team/keras#20585: to infer shapes, Keras sums the replicas' parts of a mini-batch,
        # which fails on several machines, or if the parts differ in size.
        pass

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | str,
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        steps_per_execution: Annotated[int, Range(at_least=1, at_most=512)] = 1,
        jit_compile: bool = False,
        label_smoothing: Annotated[float, Range(at_least=0, at_most=1)] = 0.0,
        learning_rate_factors: Mapping[str, float] | None = None,
        *,
        run_eagerly: bool = False,
        auto_scale_loss: bool = True,
    ) -> None:
        """Gives every member its own copy of the optimizer.

        *The* student keeps the given one, `group.optimizer`. The copies follow its learning rate,
        so that a callback that sets it sets all. They do not inherit `exclude_from_weight_decay`.

        Args:
            optimizer: a Keras optimizer or its name.
            loss: refused: the method defines it.
            loss_weights: the same.
            metrics: the same.
            weighted_metrics: the same.
            steps_per_execution: Mini-batches that TensorFlow makes before it returns to Python;
                must divide those of an epoch. More can be faster with small networks; on one device
                only. At most 512, so that the role history is whole.
            jit_compile: Compile the step with XLA; on one device only. Pays on GPUs, not on CPUs.
            label_smoothing: Share of each label that is spread over all classes while members
                learn.
            learning_rate_factors: learning rates by member as multiples of the optimizer's, such
                as `{"resnet50": 0.1}` for a student that has learnt already: those of all but *the*
                student, in all stages but that of the pivot alone. The pivot's default is the
                method's `pivot_learning_rate`, 1 if it has none.
            run_eagerly: as in `keras.Model.compile`.
            auto_scale_loss: the same.

        Raises:
            ValueError: if there are losses or metrics; if the optimizer has trained another model,
                or averages weights (`use_ema=True`), because Keras would assign the student's
                averages to the other members; on several replicas, with XLA or several steps per
                execution, if the optimizer clips gradients, or if a member has BatchNorms that
                Keras synchronises.
        """
        compilation.check_losses(
            dict(loss=loss, loss_weights=loss_weights, metrics=metrics)
            | dict(weighted_metrics=weighted_metrics)
        )
        options = dict(steps_per_execution=steps_per_execution, jit_compile=jit_compile)
        check_arguments(GroupModel.compile, options | dict(label_smoothing=label_smoothing))
        factors = {self.pivot_name: self.pivot_learning_rate, **(learning_rate_factors or {})}
        compilation.check_factors(factors, list(self.members)[:-1])
        optimizer = compilation.new_optimizer(optimizer, getattr(self, "optimizer", None))
        strategy = self.distribute_strategy
        compilation.check_replicas(strategy, self.members, optimizer, options)
        self.label_smoothing, self.learning_rate_factors = label_smoothing, factors
        options |= dict(run_eagerly=run_eagerly, auto_scale_loss=auto_scale_loss)
        with strategy.scope():
            super().compile(optimizer, **options)
        self.make_optimizers(self.members)

    def make_optimizers(self, names: Iterable[str]) -> None:
        """Gives members new optimizers; *the* student has the compiled one."""
        with self.distribute_strategy.scope():
            factors = {} if self.stage == PIVOT else self.learning_rate_factors
            new = {n: optimizers.copy_of(self.optimizer, factors.get(n, 1.0)) for n in names}
            new[self.student_names[-1]] = self.optimizer
            for name, optimizer in new.items():
                optimizers.build(optimizer, self.members[name])
        self.optimizers = {**self.optimizers, **new}

    def get_compile_config(self):
        return super().get_compile_config() | {n: getattr(self, n) for n in OWN_OPTIONS}

    def compile_from_config(self, config):
        own = {name: config[name] for name in OWN_OPTIONS if name in config}
        config = keras.saving.deserialize_keras_object(config)
        arguments = ("optimizer", "run_eagerly", "steps_per_execution", "jit_compile")
        self.compile(**{argument: config[argument] for argument in arguments}, **own)

    def call(self, images, training=False):
        return self.student(images, training=training)

    def export(self, *args, **kwargs):
        """Exports the student, without the other members, as `keras.Model.export` does."""
        images = keras.Input(image_shape(self.student), dtype="float32")
        keras.Model(images, self.student(images, training=False)).export(*args, **kwargs)

    def fit_pivot(self, *args, **kwargs):
        """Trains the pivot alone, by cross-entropy; `fit` then trains the group.

        The learning rate is then again what it was before. Arguments, result and errors are those
        of `fit`; a method that trains the pivot with the others is refused.

        Examples:
            >>> pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
            >>> group = orc_keras.OnlineRoleChange(pivot, students)
            >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
            >>> alone = group.fit_pivot(images, labels, epochs=2, verbose=0)
            >>> history = group.fit(images, labels, verbose=0)
            >>> sorted(alone.history), group.stage
            (['accuracy', 'loss'], 'group')
        """
        try:
            return self._fit_stages([PIVOT], **_by_name(super().fit, args, kwargs))
        finally:
            self.set_stage(next(iter(self.group_stages())))
            self.trains_all_stages = True

    def fit(self, *args, **kwargs):
        """Trains the group as `keras.Model.fit` does, with a progress bar of the student only.

        If `set_stage` has set a stage, `fit` trains that one. If not, it trains all stages but the
        pivot's. Most methods have one; `TeacherAssistants` and `DenselyGuided` train one student
        after the other, each for `epochs` epochs, from the same learning rate and with the same
        callbacks; the result is the `History` of the last, *the* student's. What ends a stage
        early or continues it needs one stage at a time.

        For a bar of all members, pass a `keras.callbacks.ProgbarLogger` among the callbacks. A
        callback that monitors an accuracy or a loss needs no `mode`. What `sample_weight` and
        `class_weight` do, `SampleWeights` says.

        Raises:
            ValueError: if there are no images, a label is not a class, a pixel is beyond 1e9, or
                the weight of a sample or one of a member is not finite; if a callback, such as
                `EarlyStopping`, cannot follow several stages.
        """
        stages, arguments = list(self.group_stages()), _by_name(super().fit, args, kwargs)
        if self.trains_all_stages and len(stages) > 1:
            check_for_several_stages(arguments.get("callbacks"), stages)
            return self._fit_stages(stages, **arguments)
        return self._fit(**arguments)

    def _fit_stages(self, stages, **arguments):
        """Trains stages in order, each from the present learning rate; returns the last history."""
        try:
            for stage in stages:
                self.set_stage(stage)
                with optimizers.restoring_learning_rate(self.optimizer):
                    history = self._fit(**arguments)
            return history
        finally:
            self.trains_all_stages = True

    def _fit(self, x=None, callbacks=None, **kwargs):
        for network in self.members.values():  # weights may have been set since it was built
            check_weights(network)
        if kwargs.get("batch_size") is not None:
            BATCH_SIZE.check(kwargs["batch_size"])
        VALIDATION_SPLIT.check(kwargs.get("validation_split", 0.0))
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras never does, but warns of its own default
        with input_validation.validate_data(x):
            return super().fit(x, callbacks=default_callbacks(callbacks), **kwargs)

    def evaluate(self, *args, **kwargs):
        """Evaluates every member as `keras.Model.evaluate` does; bar and errors as in `fit`."""
        arguments = _by_name(super().evaluate, args, kwargs)
        arguments["callbacks"] = default_callbacks(arguments.get("callbacks"))
        with input_validation.validate_data(arguments.get("x")), self.evaluating():
            return super().evaluate(**arguments)

    def predict(self, x, *args, **kwargs):
        """Returns *the* student's logits as `keras.Model.predict` does; errors as in `fit`."""
        with input_validation.validate_data(x):
            return super().predict(x, *args, **kwargs)

    def predict_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = input_validation.unpack_images(images, image_shape(self.student))
        return self(images, training=False)

    def train_on_batch(self, x, *args, **kwargs):
        """Trains on one mini-batch as `keras.Model.train_on_batch` does; errors as in `fit`."""
        with input_validation.validate_data(x):
            return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """Evaluates one mini-batch as `keras.Model.test_on_batch` does; errors as in `fit`."""
        with input_validation.validate_data(x), self.evaluating():
            return super().test_on_batch(x, *args, **kwargs)

    @contextlib.contextmanager
    def evaluating(self):
        """A context in which metrics are those of an evaluation."""
        earlier, self.is_evaluating = self.is_evaluating, True
        try:
            yield
        finally:
            self.is_evaluating = earlier


def _by_name(function, args, kwargs):
    """Returns the arguments of a call by name, wherever they stand."""
    arguments = inspect.signature(function).bind(*args, **kwargs).arguments
    return arguments | arguments.pop("kwargs", {})
