"""SGD with L2 weight decay, a member's own copy of an optimizer, and the gated step."""

import numbers

import keras
import tensorflow as tf

from orc_keras.arguments import RUN, Argument
from orc_keras.distribution.replica_cond import branch


@keras.saving.register_keras_serializable("orc_keras")
class L2SGD(keras.optimizers.SGD):
    """SGD whose weight decay is the L2 kind, as in the recipes of the field.

    `l2 * w` is *added to the gradient*, before momentum, for every trainable variable. Keras's
    own `weight_decay=` is the decoupled kind, which is another thing.

    Args:
        learning_rate: a float or a schedule.
        momentum: from 0 to 1.
        l2: the weight decay, 0 or more.
        **kwargs: of `keras.optimizers.SGD`.

    Example:

    >>> optimizer = L2SGD(0.05, momentum=0.9, l2=5e-4)
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, l2=0.0, **kwargs):
        if isinstance(learning_rate, numbers.Number):
            Argument(0.0, at_least=0).check("learning_rate", learning_rate)
        super().__init__(learning_rate, momentum, **kwargs)
        RUN["weight_decay"].check("l2", l2)
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        decay = tf.cast(self.l2, variable.dtype) * variable
        super().update_step(gradient + decay, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}


def copy_of(optimizer):
    """Returns a fresh optimizer with the same settings, whose learning rate follows the first's.

    It follows, so that every Keras callback that sets the learning rate of a model's optimizer
    sets that of all members. (A schedule needs no following: it is a function of the iteration,
    and the members' iterations are equal.)
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return keras.optimizers.LossScaleOptimizer(
            copy_of(optimizer.inner_optimizer),
            optimizer.initial_scale,
            optimizer.dynamic_growth_steps,
        )
    config = optimizer.get_config()
    if isinstance(config["learning_rate"], float):
        config["learning_rate"] = lambda: optimizer.learning_rate
    return type(optimizer).from_config(config)


def build(optimizers):
    """Builds optimizers, by their networks, that are not built yet.

    Before `fit`: Keras would build a group's for the variables of all members, and it restores
    nothing into an optimizer that is not built.
    """
    for network, optimizer in optimizers.items():
        if not optimizer.built:
            optimizer.build(network.trainable_variables)


def step(optimizer, tape, loss, variables, when=None):
    """One backward pass and optimizer step along `loss`; neither is made if `when` is False.

    Args:
        optimizer: a built Keras optimizer.
        tape: a persistent `tf.GradientTape` that has recorded `loss`.
        loss: a scalar; this replica's part of the sum over replicas.
        variables: the variables to update.
        when: a boolean scalar, the same on every replica; None means always.
    """

    def update(tape, loss):
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        optimizer.apply(gradients, variables)

    if when is None:
        update(tape, loss)
    else:
        branch(when, update, lambda *_: None, tape, loss)
