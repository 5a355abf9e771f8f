"""What `keras.Model` lacks for training on several machines."""

import keras
import tensorflow as tf

from orc_keras.distribution import workers


class DistributedModel(keras.Model):
    """A `keras.Model` that can be fitted and evaluated on several machines too.

    Keras's own cannot (keras-team/keras#20585 and #20329); everything has to be built before `fit`.
    """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # keras#20585: to find out shapes, Keras would draw a mini-batch and add up its parts on the
        # replicas, which fails on several machines, and where parts are of unequal size.
        pass

    def _make_function(self, step_function):
        # keras#20329: Keras takes the mean of each metric over its first axis, which a scalar does
        # not have. As one tensor, of shape [1, metrics], they also need one message, not many.
        if len(workers.addresses(self.distribute_strategy)) == 1:
            return super()._make_function(step_function)
        names = []

        def step(data):
            metrics = step_function(data)
            names[:] = metrics
            return tf.stack([tf.cast(value, tf.float32) for value in metrics.values()])[None]

        function = super()._make_function(step)
        return lambda iterator: dict(zip(names, tf.unstack(function(iterator)), strict=True))


class SingleNetwork(DistributedModel):
    """A network that is trained by itself; it stays free of an optimizer.

    Args:
        network: a built `keras.Model`.
    """

    def __init__(self, network):
        super().__init__(name=network.name)
        self.network = network
        self.built = True

    def call(self, images, training=None):
        return self.network(images, training=training)
