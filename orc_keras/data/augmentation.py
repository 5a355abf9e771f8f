"""The augmentations of training images: the CIFAR recipe's and the ImageNet recipe's."""

from typing import Any

import tensorflow as tf

from orc_keras.data.decoding import crop
from orc_keras.data.preprocessing import resize

_SHIFT = 4  # pixels, in each direction


def shift_and_flip(images: Any, seeds: Any, flip: bool = True) -> tf.Tensor:
    """The CIFAR augmentation: pads 4 black pixels, crops, and mirrors with probability 1/2.

    Args:
        images: shape `[batch, height, width, channels]`, the last three static.
        seeds: integers of 0 or more, shape `[batch, 2]`; an image's alone decides on it.
        flip: whether to mirror.
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
    shifted = tf.gather(pixels, tf.where(inside, first + rows * width + columns, 0))
    return tf.ensure_shape(shifted, images.shape)


def random_resized_crop(
    raw: Any, seed: Any, image_shape: tuple[int, int, int], flip: bool
) -> tf.Tensor:
    """The ImageNet augmentation: a random resized crop, mirrored with probability 1/2.

    The crop has 8 to 100 % of the area and an aspect ratio of 3/4 to 4/3; if ten attempts find
    none, it is the whole image.

    Args:
        raw: the image, encoded or `[height, width, channels]`.
        seed: two integers, on which alone the crop depends.
        image_shape: of the result, which is uint8.
        flip: whether to mirror.
    """

    def box(shape):
        begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
            shape,
            [[[0.0, 0.0, 1.0, 1.0]]],
            seed,
            min_object_covered=0.0,
            aspect_ratio_range=(3 / 4, 4 / 3),
            area_range=(0.08, 1.0),
            max_attempts=10,
        )
        return tf.concat([begin[:2], size[:2]], axis=0)

    image = resize(crop(raw, box, image_shape[-1]), image_shape)
    if not flip:
        return image
    flip_seed: Any = tf.random.fold_in(seed, 1)
    mirrored = tf.random.stateless_uniform([], flip_seed) < 0.5
    return tf.cond(mirrored, lambda: tf.reverse(image, axis=[1]), lambda: image)
