"""From raw images in memory to the normalised mini-batches that a network sees."""

import tensorflow as tf


def train_batches(data, batch_size, seed):
    """Shuffled mini-batches, in another order each epoch; the incomplete last one is dropped.

    Args:
        data: `ImageData`.
        batch_size: images in a mini-batch, over all replicas.
        seed: of the order and the augmentation.

    Returns:
        A `tf.data.Dataset` of (images, labels): float32 `[batch, height, width, channels]` and
        int32 `[batch]`.
    """
    images = tf.data.Dataset.from_tensor_slices((data.train_images, data.train_labels))
    batches = images.shuffle(len(data.train_images), seed).batch(batch_size, drop_remainder=True)
    if data.augment:
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
        batches = tf.data.Dataset.zip(batches, seeds).map(
            lambda batch, seed: (shift_and_flip(batch[0], seed), batch[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    return _normalised(batches, data)


def test_batches(data, batch_size):
    """The held-out images in order, each once; the last mini-batch may be smaller."""
    images = tf.data.Dataset.from_tensor_slices((data.test_images, data.test_labels))
    return _normalised(images.batch(batch_size), data)


def _normalised(batches, data):
    return batches.map(
        lambda images, labels: (normalise(images, data.mean, data.std), labels),
        num_parallel_calls=tf.data.AUTOTUNE,
    ).prefetch(tf.data.AUTOTUNE)


def normalise(images, mean, std):
    """Turns uint8 images into float32 of mean 0 and standard deviation 1 in each channel."""
    return (tf.cast(images, tf.float32) / 255 - tf.constant(mean)) / tf.constant(std)


def shift_and_flip(images, seed):
    """The CIFAR augmentation: pad 4 black pixels, crop at random, mirror every other image.

    Args:
        images: shape `[batch, height, width, channels]`.
        seed: of the stateless random numbers, two integers.

    Returns:
        Images of the same shape and type.
    """
    count, height, width, _ = tf.unstack(tf.shape(images))
    seeds = tf.random.split(seed)
    corner = tf.random.stateless_uniform([count, 2], seeds[0], maxval=9, dtype=tf.int32)
    rows = corner[:, :1] + tf.range(height)
    columns = corner[:, 1:] + tf.range(width)
    padded = tf.pad(images, [[0, 0], [4, 4], [4, 4], [0, 0]])
    cropped = tf.gather(padded, rows, axis=1, batch_dims=1)
    cropped = tf.gather(cropped, columns, axis=2, batch_dims=1)
    mirrored = tf.random.stateless_uniform([count, 1, 1, 1], seeds[1]) < 0.5
    return tf.where(mirrored, tf.reverse(cropped, axis=[2]), cropped)
