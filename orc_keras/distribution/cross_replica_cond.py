"""A conditional that all replicas take together."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def cross_replica_cond(pred: Any, true_fn: Callable, false_fn: Callable, *args: Any) -> Any:
    """Calls `true_fn(*args)` or `false_fn(*args)` on every replica, as `tf.cond` would on one.

    Inside `tf.cond` in a replica, replicas cannot communicate, but an optimizer that sums gradients
    must, and so must a synchronised BatchNorm. So the `tf.cond` is moved out of the replicas, into
    a merge call, as in Keras's `LossScaleOptimizer`.

    Args:
        pred: a boolean scalar, the same on every replica.
        true_fn: a function of tensors, called in each replica's context.
        false_fn: the same, with results of the same shapes and types.
        *args: the arguments of both functions.

    Returns:
        This replica's result.
    """

    def cond(strategy, pred, *args):
        on_replicas = strategy.extended.call_for_each_replica
        pred = strategy.experimental_local_results(pred)[0]
        return tf.cond(
            pred, lambda: on_replicas(true_fn, args), lambda: on_replicas(false_fn, args)
        )

    return tf.distribute.get_replica_context().merge_call(cond, (pred, *args))
