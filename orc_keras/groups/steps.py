"""What a group's steps need around them, so that TensorFlow and Keras run them as intended."""

import tensorflow as tf


def waiting_for_data(step):
    """Returns a step all of whose operations wait for its mini-batch.

    At the end of data of unknown length TensorFlow runs a step without one. What did not wait, such
    as a count or a draw, would take place.

    Args:
        step: a method of a group that takes a mini-batch, such as its `train_step`.
    """

    def waiting_step(data):
        tensors = filter(tf.is_tensor, tf.nest.flatten(data, expand_composites=True))
        with tf.control_dependencies(list(tensors)):
            return step(data)

    return waiting_step


def with_replica_axis(metrics):
    """Returns the metrics of a step in a shape that Keras can reduce over replicas.

    keras-team/keras#20329: on several machines Keras averages each metric over its first axis,
    which a scalar lacks.

    Args:
        metrics: scalars by name.
    """
    strategy = tf.distribute.get_strategy()
    is_multi_worker = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return {n: value[None] for n, value in metrics.items()} if is_multi_worker else metrics
