"""A conditional that all replicas take together."""

import tensorflow as tf


def cross_replica_cond(when, then, otherwise, *args):
    """Calls `then(*args)` or `otherwise(*args)` on every replica, as `tf.cond` would on one.

    Inside `tf.cond` in a replica, replicas cannot communicate, but an optimizer that sums gradients
    must, and so must a synchronised BatchNorm. So the `tf.cond` is moved out of the replicas, into
    a merge call; inside the branch each replica is entered again. Keras's `LossScaleOptimizer`
    skips steps in the same way.

    Args:
        when: a boolean scalar, the same on every replica.
        then: a function of tensors, called in each replica's context.
        otherwise: the same, with results of the same shapes and types.
        *args: the arguments of both functions.

    Returns:
        This replica's result.

    Example:

    >>> cross_replica_cond(tf.constant(True), tf.square, tf.identity, tf.constant(3.0)).numpy()
    np.float32(9.0)
    """

    def together(strategy, when, *args):
        each = strategy.extended.call_for_each_replica
        when = strategy.experimental_local_results(when)[0]
        return tf.cond(when, lambda: each(then, args), lambda: each(otherwise, args))

    return tf.distribute.get_replica_context().merge_call(together, (when, *args))
