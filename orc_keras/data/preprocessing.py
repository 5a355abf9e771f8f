"""How an image becomes a network's input: cropped, resized, normalised."""

import dataclasses
import operator
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import tensorflow as tf

from orc_keras.data.decoding import BACKGROUND, MOST_PIXELS, crop, decode, with_channels

# The central part of images that are resized, as the field evaluates on ImageNet: their shorter
# side to 256, of which 224 are cut out.
CENTRAL = 224 / 256
_AXES = ("height", "width", "channels")


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input, in evaluation and wherever the network is used.

    Attributes:
        image_shape: height, width and channels of the input.
        crop: the central part of an image that is resized to it, as a fraction of the largest one
            of this shape; None: images must have the shape already.
        mean: of each channel, with pixels scaled to 0..1.
        std: the same.
    """

    image_shape: tuple[int, int, int]
    crop: float | None = 1.0
    mean: Sequence[float] = ()
    std: Sequence[float] = ()

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Self:
        """Returns that of images of any size, from `ImageData.description()`.

        Images of the right size stay as they are where training did not resize its own.
        """
        crop = CENTRAL if description["resized"] else 1.0
        shape = tuple(description["image_shape"])
        return cls(shape, crop, description["mean"], description["std"])

    @classmethod
    def from_json(cls, contents: Mapping[str, Any]) -> Self:
        """Returns that of the contents of `preprocessing.json`; some exception if it is damaged."""
        height, width, channels = (operator.index(contents[k]) for k in _AXES)
        crop, mean, std = float(contents["crop"]), contents["mean"], contents["std"]
        preprocessing = cls((height, width, channels), crop, mean, std)
        preprocessing.check()
        if channels not in (1, 3):
            raise ValueError("It does not describe images of 1 or 3 channels.")
        return preprocessing

    def check(self) -> None:
        """Raises some exception unless these are a size, means and deviations of images."""
        height, width, channels = self.image_shape
        numbers = np.array([self.mean, self.std], float)
        is_possible = np.isfinite(numbers).all() and min(self.std) > 0
        is_possible &= min(height, width) > 0 and height * width <= MOST_PIXELS
        is_possible &= 0 < (self.crop or 1) <= 1
        if not is_possible or numbers.shape != (2, channels):
            raise ValueError("It does not describe images.")

    def as_json(self) -> dict[str, Any]:
        """Returns the contents of `preprocessing.json`, which lies beside an exported network."""
        return {
            **dict(zip(_AXES, self.image_shape)),
            "crop": self.crop,
            "background": BACKGROUND,
            "most_pixels": MOST_PIXELS,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    def pixels(self, raw: Any) -> tf.Tensor:
        """Returns an image, encoded or `[height, width, channels]`, as uint8 of `image_shape`."""
        channels = self.image_shape[-1]
        if raw.dtype != tf.string and raw.shape[-1] != channels:
            raw = with_channels(raw, channels)
        if self.crop:
            return central_crop(raw, self.image_shape, self.crop)
        image = decode(raw, channels) if raw.dtype == tf.string else raw
        return tf.ensure_shape(image, self.image_shape)

    def normalise(self, images: Any) -> tf.Tensor:
        """Returns uint8 images as the float32 input of the network."""
        return normalise(images, self.mean, self.std)


def normalise(images: Any, mean: Sequence[float], std: Sequence[float]) -> tf.Tensor:
    """Normalises uint8 images to float32 `(images / 255 - mean) / std`.

    Args:
        images: uint8, shape `[batch, height, width, channels]`, the last three static.
        mean: of each channel, with pixels scaled to 0..1.
        std: the same.
    """
    width = images.shape[2]
    scale, shift = 1 / (255 * np.array(std)), -np.array(mean) / np.array(std)
    # By image rows: broadcasting over three channels is several times slower.
    rows = tf.cast(tf.reshape(images, [-1, width * len(scale)]), tf.float32)
    rows = rows * np.tile(scale, width).astype("f") + np.tile(shift, width).astype("f")
    return tf.reshape(rows, [-1, *images.shape[1:]])


def normalise_fixed_size(images: Any, mean: Sequence[float], std: Sequence[float]) -> tf.Tensor:
    """Returns the same as `normalise`, to the bit, by constants of the images' height and width.

    They make a TensorFlow Lite file refuse images of another size, which it takes otherwise.
    """
    height, width, channels = images.shape[1:]
    scale, shift = 1 / (255 * np.array(std)), -np.array(mean) / np.array(std)
    images = tf.cast(images, tf.float32) * np.broadcast_to(scale, (width, channels)).astype("f")
    return images + np.broadcast_to(shift, (height, 1, channels)).astype("f")


def central_crop(
    raw: Any, image_shape: tuple[int, int, int], fraction: float = CENTRAL
) -> tf.Tensor:
    """Cuts out the centre of an image, and resizes it.

    Args:
        raw: the image, encoded or `[height, width, channels]`.
        image_shape: of the result, which is uint8.
        fraction: of the largest part of this shape.
    """

    def box(shape):
        wanted = tf.constant(image_shape[:2], tf.float32)
        scale = tf.reduce_min(tf.cast(shape[:2], tf.float32) / wanted) * fraction
        size = tf.maximum(tf.cast(tf.round(scale * wanted), tf.int32), 1)
        return tf.concat([(shape[:2] - size) // 2, size], axis=0)

    return resize(crop(raw, box, image_shape[-1]), image_shape)


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
