"""Strategies of the logical devices that `conftest.py` makes."""

import functools

import tensorflow as tf


@functools.cache
def replicas(number):
    """A strategy of so many replicas on logical CPU devices."""
    if number == 1:
        return tf.distribute.get_strategy()
    # Otherwise the strategies of one process would mix up their collective operations.
    tf.distribute.MirroredStrategy._collective_key_base = 10_000 * number
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(number)])
