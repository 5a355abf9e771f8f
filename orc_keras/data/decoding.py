"""Images from files, wholly or in part, with the pixels of Pillow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

BACKGROUND = 255  # white, behind transparent pixels
MOST_PIXELS = 70_000_000  # of an image; a small file may promise more than memory holds
TOO_LARGE = f"has more than {MOST_PIXELS // 10**6} million pixels"
_HEAD = 14 + 40 + 1024  # bytes: a BMP's two headers and its palette
_EXACT = "INTEGER_ACCURATE"  # what Pillow and browsers do; TensorFlow's default is up to 6 off
# Colours at the edge of a JPEG crop depend on pixels outside it. So this many more pixels are
# decoded and dropped; the crop then equals that of the whole decoded image.
_MARGIN = 8


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
    return with_channels(image, channels)


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
    is_kind = tf.stack([is_png, is_bmp, *(is_webp & (byte[15] == last) for last in b" LX")])
    is_animation = is_webp & has(12, b"VP8X") & (byte[20] // 2 % 2 == 1)
    palette = tf.reshape(byte[54:_HEAD], [256, 4])  # a BMP's of 8 bits
    has_grey_palette = tf.reduce_all(palette[:, :3] == tf.range(256)[:, None])
    is_plain_bmp = (byte[28] == 24) | ((byte[28] == 8) & has(14, b"(") & has_grey_palette)
    has_palette_or_alpha = (byte[25] != 0) & (byte[25] != 2)
    before_pixels = tf.cond(
        is_png, lambda: tf.strings.split(encoded, "IDAT", maxsplit=1)[0], lambda: ""
    )
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
        (_num_pixels(encoded, head, is_kind) > MOST_PIXELS, TOO_LARGE),
    ):
        reason = tf.where(wrong, text, reason)
    return reason


def _num_pixels(encoded, head, is_kind):
    """Returns the number of pixels that the header of a file states, int64.

    Args:
        encoded: the bytes.
        head: the first ones, padded.
        is_kind: whether it is a PNG, a BMP, or a WebP: lossy, lossless, extended; booleans `[5]`.
    """

    def numbers(position, size, kind, little_endian=True):
        text = tf.strings.substr(head, position, size)
        return tf.cast(tf.io.decode_raw(text, kind, little_endian), tf.int64)

    bits, bytes_ = numbers(21, 4, tf.int32), numbers(24, 6, tf.uint8)
    lossless: Any = tf.concat([bits, bits // 2**14], axis=0)
    sizes = tf.stack(
        [
            numbers(16, 8, tf.int32, little_endian=False),
            tf.abs(numbers(18, 8, tf.int32)),  # a BMP of negative height is stored from the top
            numbers(26, 4, tf.uint16) % 2**14,
            lossless % 2**14 + 1,
            tf.reduce_sum(tf.reshape(bytes_, [2, 3]) * [1, 2**8, 2**16], axis=1) + 1,
        ]
    )
    of_jpeg = tf.cond(
        tf.io.is_jpeg(encoded), lambda: _jpeg_pixels(encoded), lambda: tf.zeros([], tf.int64)
    )
    return tf.maximum(tf.reduce_max(tf.where(is_kind, sizes[:, 0] * sizes[:, 1], 0)), of_jpeg)


def _jpeg_pixels(encoded):
    return tf.reduce_prod(tf.cast(tf.io.extract_jpeg_shape(encoded)[:2], tf.int64))


def with_channels(image, channels):
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
    fits = tf.debugging.Assert(_jpeg_pixels(encoded) <= MOST_PIXELS, [TOO_LARGE])
    with tf.control_dependencies([fits]):
        shape = tf.io.extract_jpeg_shape(encoded)[:2]
    begin = tf.maximum(box[:2] - _MARGIN, 0)
    end = tf.minimum(box[:2] + box[2:] + _MARGIN, shape)
    wider = tf.concat([begin, end - begin], axis=0)
    image = tf.image.decode_and_crop_jpeg(encoded, wider, dct_method=_EXACT)
    image = _slice(image, tf.concat([box[:2] - begin, box[2:]], axis=0))
    return with_channels(image, channels)


def _slice(image, box):
    top, left, height, width = tf.unstack(box)
    return image[top : top + height, left : left + width]
