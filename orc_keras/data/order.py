"""In which order images are learnt from: a function of (seed, epoch, position) alone."""

import tensorflow as tf


def sample(seed, epoch, position, number):
    """Which image stands at a position of an epoch, and the seeds of its augmentation.

    Args:
        seed: of the run.
        epoch: from 0.
        position: int64, shape `[batch]`, one after the other, each below `number`.
        number: of images.

    Returns:
        Indices, int64 of shape `[batch]`, which over an epoch are a permutation; and seeds, int32
        of shape `[batch, 2]`, 0 or more.
    """
    key = tf.stack([tf.constant(seed, tf.int64), epoch])
    # tf.random.experimental.index_shuffle has 4 rounds, which leave some epochs almost in order.
    index = tf.raw_ops.RandomIndexShuffle(
        index=position,
        seed=tf.concat([key, [0]], axis=0),
        max_index=tf.cast(number - 1, tf.int64),
        rounds=16,
    )
    # Philox, the generator of all stateless random numbers, gives four numbers for each value of
    # its counter. The counter is the position, so these are its own, whatever the mini-batch.
    numbers = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[tf.size(position), 4],
        key=[tf.bitcast(tf.cast(key, tf.uint32), tf.uint64)],
        counter=tf.cast([position[0], 0], tf.uint64),
        alg=tf.random.Algorithm.PHILOX.value,
        dtype=tf.uint32,
    )
    return index, tf.cast(numbers[:, :2] // 2, tf.int32)
