"""How an image becomes a network's input: decoded, cropped, resized, normalised."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import tensorflow as tf

BACKGROUND = 255  # white, behind transparent pixels
_HEAD = 14 + 40 + 1024  # bytes: a BMP's two headers and its palette
_EXACT = "INTEGER_ACCURATE"  # what Pillow and browsers do; TensorFlow's default is up to 6 off
# Colours at the edge of a JPEG crop depend on pixels outside it. So this many more pixels are
# decoded and dropped; the crop then equals that of the whole decoded image.
_MARGIN = 8


# The central part of images that are resized, as the field evaluates on ImageNet: their shorter
# side to 256, of which 224 are cut out.
CENTRAL = 224 / 256


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input, in evaluation and wherever the network is used.

    Attributes:
        image_shape: height, width and channels of the input.
        crop: the central part of an image that is resized to it, as a fraction of the largest one
            of this shape; None: images must have the shape already.
        mean, std: of each channel, with pixels scaled to 0..1.
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
        """Returns that of the contents of `preprocessing.json`."""
        shape = contents["height"], contents["width"], contents["channels"]
        return cls(shape, contents["crop"], contents["mean"], contents["std"])

    def as_json(self) -> dict[str, Any]:
        """Returns the contents of `preprocessing.json`, which lies beside an exported network."""
        height, width, channels = self.image_shape
        return {
            "height": height,
            "width": width,
            "channels": channels,
            "crop": self.crop,
            "background": BACKGROUND,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    def pixels(self, raw: Any) -> tf.Tensor:
        """Returns an image, encoded or `[height, width, channels]`, as uint8 of `image_shape`."""
        channels = self.image_shape[-1]
        if raw.dtype != tf.string and raw.shape[-1] != channels:
            raw = _with_channels(raw, channels)
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
        mean, std: of each channel, with pixels scaled to 0..1.
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


def decode(encoded: Any, channels: int) -> tf.Tensor:
    """Decodes a PNG, JPEG, BMP or WebP to 8 bits; transparent pixels become white.

    The pixels are those of Pillow. EXIF orientation is ignored.

    Args:
        encoded: the bytes, a scalar string.
        channels: 1 or 3; a grey image is repeated for 3, a coloured one becomes grey for 1.
    """
    reason = refusal(encoded)
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(reason, ""), [reason])]):
        image: Any = tf.cond(
            tf.io.is_jpeg(encoded),
            lambda: tf.io.decode_jpeg(encoded, dct_method=_EXACT),
            lambda: tf.io.decode_image(encoded, expand_animations=False),
        )
    image.set_shape([None, None, None])
    return _with_channels(image, channels)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def refusal(encoded: Any) -> tf.Tensor:
    """Returns why TensorFlow cannot decode a file rightly, as the end of a sentence, or "".

    It ignores a BMP's palette and a PNG's colour key; an animated WebP corrupts its memory.

    Args:
        encoded: the bytes, a scalar string.
    """
    head = tf.strings.join([tf.strings.substr(encoded, 0, _HEAD), bytes(_HEAD)])
    byte: Any = tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int32)

    def has(position, text):
        return tf.reduce_all(byte[position : position + len(text)] == list(text))

    is_png, is_bmp, is_webp = has(0, b"\x89PNG"), has(0, b"BM"), has(8, b"WEBP")
    is_animation = is_webp & has(12, b"VP8X") & (byte[20] // 2 % 2 == 1)
    palette = tf.reshape(byte[54:_HEAD], [256, 4])  # a BMP's of 8 bits
    has_grey_palette = tf.reduce_all(palette[:, :3] == tf.range(256)[:, None])
    is_plain_bmp = (byte[28] == 24) | ((byte[28] == 8) & has(14, b"(") & has_grey_palette)
    has_palette_or_alpha = (byte[25] != 0) & (byte[25] != 2)
    before_pixels = tf.strings.split(encoded, "IDAT", maxsplit=1)[0]
    has_key = tf.strings.regex_full_match(before_pixels, r"\C*tRNS\C*") & ~has_palette_or_alpha
    reason = tf.constant("")
    for wrong, text in (
        (is_png & has_key, "has a transparent colour; save it with an alpha channel"),
        (
            is_bmp & ~is_plain_bmp,
            "is a BMP with a palette, alpha, or other than 24 bits; save it as PNG",
        ),
        (is_animation, "is an animation; save one of its images"),
        (
            ~(is_png | is_bmp | is_webp | has(0, b"\xff\xd8\xff")),
            "is damaged, or not a PNG, JPEG, BMP or WebP",
        ),
    ):
        reason = tf.where(wrong, text, reason)
    return reason


def _with_channels(image, channels):
    """Puts an image of 1 to 4 channels on white, and makes it grey or coloured."""
    number: Any = tf.shape(image)[-1]
    image = tf.cond(number % 2 == 0, lambda: _on_white(image), lambda: image)
    if channels == 3:
        image = tf.cond(number < 3, lambda: tf.repeat(image, 3, axis=-1), lambda: image)
    else:
        image = tf.cond(number < 3, lambda: image, lambda: _grey(image))
    return tf.ensure_shape(image, [None, None, channels])


def _on_white(image):
    image = tf.cast(image, tf.float32)
    alpha = image[..., -1:] / 255
    return tf.cast(tf.round(image[..., :-1] * alpha + BACKGROUND * (1 - alpha)), tf.uint8)


def _grey(image):
    """Returns luma by ITU-R 601-2, in the whole numbers of Pillow."""
    luma = tf.reduce_sum(tf.cast(image, tf.int32) * [19595, 38470, 7471], axis=-1, keepdims=True)
    return tf.cast((luma + 2**15) // 2**16, tf.uint8)


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
    image = tf.image.decode_and_crop_jpeg(encoded, wider, dct_method=_EXACT)
    image = _slice(image, tf.concat([box[:2] - begin, box[2:]], axis=0))
    return _with_channels(image, channels)


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
