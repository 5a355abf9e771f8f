"""A branch that replicas take together."""

import tensorflow as tf


def branch(when, then, otherwise, *args):
    """Calls `then(*args)` or `otherwise(*args)` on every replica, as `tf.cond` would on one.

    In a branch of `tf.cond` a replica cannot communicate with the others, as an optimizer does that
    sums gradients, or a synchronised BatchNorm. So the replicas meet first, in a merge call, and
    take the branch together; Keras's `LossScaleOptimizer` skips its steps in the same way.

    Args:
        when: a boolean scalar, the same on every replica.
        then: a function of tensors, called in each replica's context.
        otherwise: likewise, with results of the same shapes and types.
        *args: of either function.

    Returns:
        This replica's result.

    Example:

    >>> branch(tf.constant(True), tf.square, tf.identity, tf.constant(3.0)).numpy()
    np.float32(9.0)
    """

    def together(strategy, when, *args):
        each = strategy.extended.call_for_each_replica
        when = strategy.experimental_local_results(when)[0]
        return tf.cond(when, lambda: each(then, args), lambda: each(otherwise, args))

    return tf.distribute.get_replica_context().merge_call(together, (when, *args))
