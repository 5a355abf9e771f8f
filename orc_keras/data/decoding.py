"""Decodes images, and crops and resizes them to the size of the networks."""

import tensorflow as tf

# Colours at the edge of a JPEG window depend on pixels outside it. So this many more pixels are
# decoded and dropped; the window then equals that of the whole decoded image.
_MARGIN = 8


def decode(encoded, channels):
    """Decodes a PNG, JPEG, BMP or WebP to 8 bits; transparent pixels become white.

    Args:
        encoded: the bytes, a scalar string.
        channels: 1 or 3; for 1 the image must be grey, for 3 a grey image is repeated.

    Returns:
        uint8, shape `[height, width, channels]`.
    """
    image = tf.io.decode_image(encoded, expand_animations=False)
    image.set_shape([None, None, None])
    has_alpha = tf.shape(image)[-1] % 2 == 0
    image = tf.cond(has_alpha, lambda: _on_white(image), lambda: image)
    if channels == 3:
        is_grey = tf.shape(image)[-1] == 1
        image = tf.cond(is_grey, lambda: tf.repeat(image, 3, axis=-1), lambda: image)
    return tf.ensure_shape(image, [None, None, channels])


def _on_white(image):
    image = tf.cast(image, tf.float32)
    alpha = image[..., -1:] / 255
    return tf.cast(tf.round(image[..., :-1] * alpha + 255 * (1 - alpha)), tf.uint8)


def random_window(raw, seed, image_shape, flip):
    """The ImageNet augmentation: a random resized crop, mirrored with probability 1/2.

    The crop has 8 to 100 % of the area and an aspect ratio of 3/4 to 4/3; if ten attempts find
    none, it is the whole image.

    Args:
        raw: the image, encoded or `[height, width, channels]`.
        seed: of the stateless random numbers, two integers.
        image_shape: of the result.
        flip: whether to mirror.

    Returns:
        uint8, shape `image_shape`.
    """

    def window(shape):
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

    image = resize(_cut(raw, window, image_shape[-1]), image_shape)
    if not flip:
        return image
    mirrored = tf.random.stateless_uniform([], tf.random.fold_in(seed, 1)) < 0.5
    return tf.cond(mirrored, lambda: tf.reverse(image, axis=[1]), lambda: image)


def central_window(raw, image_shape):
    """The ImageNet evaluation crop: the central 224 / 256 of the shorter side, resized.

    That equals resizing the shorter side to 256 and cutting out 224, if 224 is wanted.

    Args:
        raw: the image, encoded or `[height, width, channels]`.
        image_shape: of the result.

    Returns:
        uint8, shape `image_shape`.
    """

    def window(shape):
        wanted = tf.constant(image_shape[:2], tf.float32)
        scale = tf.reduce_min(tf.cast(shape[:2], tf.float32) / wanted) * 224 / 256
        size = tf.maximum(tf.cast(tf.round(scale * wanted), tf.int32), 1)
        return tf.concat([(shape[:2] - size) // 2, size], axis=0)

    return resize(_cut(raw, window, image_shape[-1]), image_shape)


def _cut(raw, window, channels):
    """Cuts `window(shape)`, (top, left, height, width), out of an image."""
    if raw.dtype != tf.string:
        return _part(raw, window(tf.shape(raw)))
    return tf.cond(
        tf.io.is_jpeg(raw),
        lambda: _cut_jpeg(raw, window(tf.io.extract_jpeg_shape(raw)), channels),
        lambda: _cut(decode(raw, channels), window, channels),
    )


def _cut_jpeg(encoded, window, channels):
    """Decodes only the window of a JPEG, which is faster."""
    shape = tf.io.extract_jpeg_shape(encoded)[:2]
    begin = tf.maximum(window[:2] - _MARGIN, 0)
    end = tf.minimum(window[:2] + window[2:] + _MARGIN, shape)
    part = tf.concat([begin, end - begin], axis=0)
    image = tf.image.decode_and_crop_jpeg(encoded, part, channels=channels)
    return _part(image, tf.concat([window[:2] - begin, window[2:]], axis=0))


def _part(image, window):
    top, left, height, width = tf.unstack(window)
    return image[top : top + height, left : left + width]


def resize(image, image_shape):
    """Resizes bilinearly; an image of twice the size or more is averaged in whole blocks first.

    Bilinear interpolation alone would skip most pixels of a large photograph.

    Args:
        image: uint8, shape `[height, width, channels]`.
        image_shape: of the result.

    Returns:
        uint8, shape `image_shape`.
    """
    block = tf.reduce_min(tf.shape(image)[:2] // tf.constant(image_shape[:2]))
    image = tf.cond(block > 1, lambda: _averaged(image, block), lambda: tf.cast(image, tf.float32))
    image = tf.image.resize(image, image_shape[:2])
    return tf.ensure_shape(tf.cast(tf.round(image), tf.uint8), image_shape)


def _averaged(image, block):
    """Averages blocks of `block` x `block` pixels; cuts off incomplete blocks."""
    height, width = tf.unstack(tf.shape(image)[:2] // block)
    image = tf.cast(image[: height * block, : width * block], tf.float32)
    blocks = tf.reshape(image, [height, block, width, block, image.shape[-1]])
    return tf.reduce_mean(blocks, axis=[1, 3])
