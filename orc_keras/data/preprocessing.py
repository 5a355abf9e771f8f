"""How an image becomes a network's input: decoded, cropped, resized, normalised."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Colours at the edge of a JPEG crop depend on pixels outside it. So this many more pixels are
# decoded and dropped; the crop then equals that of the whole decoded image.
_MARGIN = 8


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input, in evaluation and wherever the network is used.

    Attributes:
        image_shape: height, width and channels of the input.
        resized: whether images are cropped and resized to it, by the ImageNet recipe; if not, they
            must have that size.
        mean, std: of each channel, with pixels scaled to 0..1.
    """

    image_shape: tuple[int, int, int]
    resized: bool
    mean: Sequence[float] = ()
    std: Sequence[float] = ()

    def pixels(self, raw: Any) -> tf.Tensor:
        """Returns an image, encoded or `[height, width, channels]`, as uint8 of `image_shape`."""
        if self.resized:
            return central_crop(raw, self.image_shape)
        image = decode(raw, self.image_shape[-1]) if raw.dtype == tf.string else raw
        return tf.ensure_shape(image, self.image_shape)

    def normalise(self, images: Any) -> tf.Tensor:
        """Returns uint8 images as the float32 input of the network."""
        return normalise(images, self.mean, self.std)


def normalise(images: Any, mean: Sequence[float], std: Sequence[float]) -> tf.Tensor:
    """Normalises uint8 images to float32 `(images / 255 - mean) / std`.

    Args:
        images: uint8, shape `[batch, height, width, channels]`, the last three static.
        mean, std: of each channel, with pixels scaled to 0..1.
    """
    width = images.shape[2]
    scale, shift = 1 / (255 * np.array(std)), -np.array(mean) / np.array(std)
    # By image rows: broadcasting over three channels is several times slower.
    rows = tf.cast(tf.reshape(images, [-1, width * len(scale)]), tf.float32)
    rows = rows * np.tile(scale, width).astype("f") + np.tile(shift, width).astype("f")
    return tf.reshape(rows, [-1, *images.shape[1:]])


def decode(encoded: Any, channels: int) -> tf.Tensor:
    """Decodes a PNG, JPEG, BMP or WebP to 8 bits; transparent pixels become white.

    `orc_keras.data.files` refuses what TensorFlow decodes wrongly.

    Args:
        encoded: the bytes, a scalar string.
        channels: 1 or 3; for 1 the image must be grey, for 3 a grey image is repeated.
    """
    image: Any = tf.io.decode_image(encoded, expand_animations=False)
    image.set_shape([None, None, None])
    has_alpha = tf.shape(image)[-1] % 2 == 0  # type: ignore  (a tensor)
    image = tf.cond(has_alpha, lambda: _on_white(image), lambda: image)
    if channels == 3:
        is_grey = tf.shape(image)[-1] == 1
        image = tf.cond(is_grey, lambda: tf.repeat(image, 3, axis=-1), lambda: image)
    return tf.ensure_shape(image, [None, None, channels])


def _on_white(image):
    image = tf.cast(image, tf.float32)
    alpha = image[..., -1:] / 255
    return tf.cast(tf.round(image[..., :-1] * alpha + 255 * (1 - alpha)), tf.uint8)


def central_crop(raw: Any, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """The ImageNet evaluation crop: the central 224 / 256 of the shorter side, resized.

    That equals resizing the shorter side to 256 and cutting out 224, if 224 is wanted.

    Args:
        raw: the image, encoded or `[height, width, channels]`.
        image_shape: of the result, which is uint8.
    """

    def box(shape):
        wanted = tf.constant(image_shape[:2], tf.float32)
        scale = tf.reduce_min(tf.cast(shape[:2], tf.float32) / wanted) * 224 / 256
        size = tf.maximum(tf.cast(tf.round(scale * wanted), tf.int32), 1)
        return tf.concat([(shape[:2] - size) // 2, size], axis=0)

    return resize(crop(raw, box, image_shape[-1]), image_shape)


def crop(raw: Any, box: Callable, channels: int) -> tf.Tensor:
    """Cuts `box(shape)`, (top, left, height, width), out of an image, encoded or not."""
    if raw.dtype != tf.string:
        return _slice(raw, box(tf.shape(raw)))
    return tf.cond(
        tf.io.is_jpeg(raw),
        lambda: _crop_jpeg(raw, box(tf.io.extract_jpeg_shape(raw)), channels),
        lambda: crop(decode(raw, channels), box, channels),
    )


def _crop_jpeg(encoded, box, channels):
    """Decodes only the box of a JPEG, which is faster."""
    shape = tf.io.extract_jpeg_shape(encoded)[:2]
    begin = tf.maximum(box[:2] - _MARGIN, 0)
    end = tf.minimum(box[:2] + box[2:] + _MARGIN, shape)
    wider = tf.concat([begin, end - begin], axis=0)
    image = tf.image.decode_and_crop_jpeg(encoded, wider, channels=channels)
    return _slice(image, tf.concat([box[:2] - begin, box[2:]], axis=0))


def _slice(image, box):
    top, left, height, width = tf.unstack(box)
    return image[top : top + height, left : left + width]


def resize(image: Any, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """Resizes bilinearly; an image of twice the size or more is averaged in whole blocks first.

    Bilinear interpolation alone would skip most pixels of a large photograph.
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
