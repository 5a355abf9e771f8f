"""SGD with L2 weight decay, a member's own copy of an optimizer, and the gated step."""

import contextlib
import numbers
from collections.abc import Iterator
from typing import Annotated, Any

import keras
import tensorflow as tf

from orc_keras.arguments import Argument, Range, check_arguments
from orc_keras.distribution.cross_replica_cond import cross_replica_cond

LEARNING_RATE = Argument("learning_rate", Annotated[float, Range(at_least=0, at_most=10**6)])

FUNCTIONS = ("function", "method", "__lambda__")  # Keras's names of what is no schedule


@keras.saving.register_keras_serializable("orc_keras")
class L2SGD(keras.optimizers.SGD):
    """SGD whose weight decay is the L2 kind, as in the recipes of the field.

    `l2 * w` is *added to the gradient*, before momentum, for every trainable variable. Keras's
    `weight_decay=` is the decoupled kind.

    Args:
        learning_rate: a float or a schedule.
        momentum: from 0 to 1.
        l2: the weight decay, 0 or more.
        **kwargs: of `keras.optimizers.SGD`.

    Examples:
        >>> optimizer = L2SGD(0.05, momentum=0.9, l2=5e-4)
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        l2: Annotated[float, Range(at_least=0)] = 0.0,
        **kwargs: Any,
    ):
        if isinstance(learning_rate, numbers.Number):
            LEARNING_RATE.check(learning_rate)
        super().__init__(learning_rate, momentum, **kwargs)
        check_arguments(L2SGD, dict(l2=l2))
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        decay = tf.cast(self.l2, variable.dtype) * variable
        super().update_step(gradient + decay, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}


@keras.saving.register_keras_serializable("orc_keras")
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule times a factor.

    Args:
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`.
        factor: what its learning rate is multiplied by, 0 or more.

    Examples:
        >>> decay = keras.optimizers.schedules.PiecewiseConstantDecay([10], [0.5, 0.05])
        >>> float(ScaledSchedule(decay, 0.5)(3))
        0.25
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, factor: float):
        self.schedule, self.factor = schedule, factor

    def __call__(self, step):
        return self.factor * self.schedule(step)

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["factor"])


def copy_of(
    optimizer: keras.optimizers.Optimizer, factor: float = 1.0
) -> keras.optimizers.Optimizer:
    """Returns a new optimizer with the same settings; its learning rate follows the original's.

    So a Keras callback that sets the learning rate of the group's optimizer sets that of every
    member. (A schedule is copied: it depends on the iteration, which is the same for all members.)

    Args:
        optimizer: a Keras optimizer.
        factor: the copy's learning rate as a multiple of the original's.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return keras.optimizers.LossScaleOptimizer(
            copy_of(optimizer.inner_optimizer, factor),
            optimizer.initial_scale,
            optimizer.dynamic_growth_steps,
        )
    config = optimizer.get_config()
    rate = config["learning_rate"]
    if isinstance(rate, float) or rate["class_name"] in FUNCTIONS:
        config["learning_rate"] = lambda: factor * optimizer.learning_rate
    elif factor != 1:
        schedule = keras.optimizers.schedules.deserialize(rate)
        config["learning_rate"] = ScaledSchedule(schedule, factor)
    return type(optimizer).from_config(config)


@contextlib.contextmanager
def restoring_learning_rate(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """A context after which a learning rate that is no schedule is what it was before."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    learning_rate = inner.get_config()["learning_rate"]
    try:
        yield
    finally:
        if isinstance(learning_rate, float):
            inner.learning_rate = learning_rate


def build(optimizer: keras.optimizers.Optimizer, network: keras.Model) -> None:
    """Builds a network's optimizer, unless it is built.

    This must precede `fit`: Keras would build the group's own for the variables of all members, and
    cannot restore an optimizer that is not built.
    """
    if not optimizer.built:
        optimizer.build(network.trainable_variables)


def step(
    optimizer: keras.optimizers.Optimizer,
    tape: tf.GradientTape,
    loss: tf.Tensor,
    variables: list[keras.Variable],
    pred: tf.Tensor | None = None,
) -> None:
    """Makes one backward pass and optimizer step on `loss`; skips both if `pred` is False.

    Args:
        optimizer: a built Keras optimizer.
        tape: a persistent `tf.GradientTape` that has recorded `loss`.
        loss: a scalar, this replica's summand of the global loss.
        variables: the variables to update.
        pred: a boolean scalar, the same on every replica; None means always.
    """

    def update(tape, loss):
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        optimizer.apply(gradients, variables)

    if pred is None:
        update(tape, loss)
    else:
        cross_replica_cond(pred, update, lambda *_: None, tape, loss)
