"""The CIFAR augmentation of a whole mini-batch."""

import tensorflow as tf

_SHIFT = 4  # pixels, in each direction


def shift_and_flip(images, seeds, flip=True):
    """Pads 4 black pixels on each side, crops at random, and mirrors with probability 1/2.

    Args:
        images: shape `[batch, height, width, channels]`, the last three static.
        seeds: each image's random numbers, integers of 0 or more, shape `[batch, 2]`.
        flip: whether to mirror.

    Returns:
        Images of the same shape and type. An image's augmentation depends on its seed alone.
    """
    height, width, channels = images.shape[1:]
    corners = 2 * _SHIFT + 1
    choice = tf.cast(seeds[:, 0], tf.int32)
    rows = tf.range(height) + (choice % corners - _SHIFT)[:, None]
    columns = tf.range(width) + (choice // corners % corners - _SHIFT)[:, None]
    if flip:
        mirrored = choice // corners**2 % 2 == 1
        columns = tf.where(mirrored[:, None], columns[:, ::-1], columns)
    rows, columns = rows[:, :, None], columns[:, None, :]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    # One gather over the pixels of all images, with a black pixel for the padding in front: several
    # times faster than padding every image and gathering its rows, then its columns.
    first = 1 + tf.range(tf.shape(images)[0])[:, None, None] * (height * width)
    pixels = tf.pad(tf.reshape(images, [-1, channels]), [[1, 0], [0, 0]])
    moved = tf.gather(pixels, tf.where(inside, first + rows * width + columns, 0))
    return tf.ensure_shape(moved, images.shape)
