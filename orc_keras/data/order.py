"""The order of the training images: a function of (seed, epoch, position) alone."""

from typing import Any

import tensorflow as tf


def sample(seed: int, epoch: Any, position: Any, number: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the images at some positions of an epoch, and the seeds of their augmentation.

    Args:
        seed: of the run.
        epoch: from 0, an int64 scalar.
        position: consecutive ones, each below `number`, int64 of shape `[batch]`.
        number: of images.

    Returns:
        Indices, int64 of shape `[batch]`, a permutation over an epoch; and seeds, int32 of shape
        `[batch, 2]`, 0 or more.
    """
    key = tf.stack([tf.constant(seed, tf.int64), epoch])
    # Not tf.random.experimental.index_shuffle: its 4 rounds leave some epochs almost in order.
    index = tf.raw_ops.RandomIndexShuffle(
        index=position,
        seed=tf.concat([key, [0]], axis=0),
        max_index=tf.cast(number - 1, tf.int64),
        rounds=16,
    )
    # Philox, a counter-based generator, gives four numbers for each value of its counter. With the
    # position as counter, an image's numbers do not depend on the mini-batch or replica it is in.
    numbers = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[tf.size(position), 4],
        key=[tf.bitcast(tf.cast(key, tf.uint32), tf.uint64)],
        counter=tf.cast([position[0], 0], tf.uint64),
        alg=tf.random.Algorithm.PHILOX.value,
        dtype=tf.uint32,
    )
    return index, tf.cast(numbers[:, :2] // 2, tf.int32)
