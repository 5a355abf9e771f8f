"""Images in files: their headers, checks and pixels."""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
import warnings

import numpy as np
import tensorflow as tf
from PIL import Image

from orc_keras import startup
from orc_keras.data.decoding import decode
from orc_keras.data.images import Images, MixedImages, PixelImages, empty_pixels


@dataclasses.dataclass(frozen=True)
class Header:
    """The properties of an image that its file's header states."""

    height: int
    width: int
    is_grey: bool
    has_alpha: bool
    has_16_bits: bool


def complaint(path, image_shape):
    """Returns why a network cannot take the image in a file, as the rest of a sentence.

    Args:
        path: of the file.
        image_shape: height, width and channels.
    """
    try:
        (header,) = read_headers([path])
    except ValueError:
        return "is not an image that can be read"
    if image_shape[-1] == 1 and not header.is_grey:
        return "is in colour, but the network takes grey images"
    if (header.height, header.width) != tuple(image_shape[:2]):
        size = f"{header.height} x {header.width}"
        return f"has {size} pixels, or is damaged"
    return "is damaged or truncated"


def read_headers(paths):
    """Returns the `Header` of each file.

    Raises:
        ValueError: if a file is not an image, or one that cannot be decoded faithfully.
    """
    return _of_all(_header, paths)


def _header(path):
    """Returns the `Header` of a file, or a complaint as text."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            mode, kind, info = image.mode, image.format, image.info
            animated = getattr(image, "is_animated", False)
        with open(path, "rb") as file:
            start = file.read(30)
    except Image.DecompressionBombError:
        return "has more pixels than can be read safely; make it smaller"
    except Exception as error:  # Pillow raises many kinds for what is not an image
        return f"is not a readable image ({type(error).__name__} of Pillow)"
    bits = start[24] if kind == "PNG" else int.from_bytes(start[28:30], "little")
    # Refuse what TensorFlow would decode wrongly.
    if kind not in ("PNG", "JPEG", "MPO", "BMP", "WEBP"):
        return f"is a {kind}, not a PNG, JPEG, BMP or WebP"
    if kind == "WEBP" and animated:
        return "is an animation; save one of its images"
    if kind == "BMP" and (mode, bits) not in (("L", 8), ("RGB", 24)):
        return "is a BMP with a palette, alpha, or other than 24 bits; save it as PNG"
    if kind == "PNG" and mode not in ("P", "PA") and "transparency" in info:
        return "has a transparent colour; save it with an alpha channel"
    has_alpha = mode in ("RGBA", "LA", "PA") or "transparency" in info
    is_grey = mode in ("1", "L", "LA") or mode.startswith("I")
    return Header(height, width, is_grey, has_alpha, kind == "PNG" and bits == 16)


def _of_all(function, paths):
    """Calls a function for each file, in parallel; a string it returns is a complaint."""
    with _quiet(), concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(function, paths))
    wrong = [(path, said) for path, said in zip(paths, results) if isinstance(said, str)]
    if wrong:
        named = "; ".join(f"{printable(path)} {said}" for path, said in wrong[:3])
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(f"Of {len(paths):,} images {len(wrong):,} cannot be used: {named}{more}.")
    return results


def printable(path):
    """Returns a path as printable text."""
    return str(path) if str(path).isprintable() else repr(str(path))


@contextlib.contextmanager
def _quiet():
    """Silences warnings that do not name the image: libjpeg's of stray bytes, Pillow's of size."""
    with startup.silent_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def fingerprint(root, paths):
    """Returns a short text that changes if files are added, removed, moved or changed.

    It depends on their names, their sizes, and their first and last 4,096 bytes.
    """
    digest = hashlib.sha256()
    for path, ends in zip(paths, _of_all(_ends, paths)):
        digest.update(os.fsencode(path.relative_to(root)) + ends)
    return digest.hexdigest()[:16]


def _ends(path):
    size = path.stat().st_size
    with open(path, "rb") as file:
        first = file.read(4096)
        file.seek(max(0, size - 4096))
        return hashlib.sha256(b"%d" % size + first + file.read(4096)).digest()


def check(paths):
    """Decodes every file once.

    Raises:
        ValueError: if one cannot be decoded.
    """
    _of_all(lambda path: _decode(path, 3, lambda image: None), paths)


def in_memory(split, headers, channels):
    """Returns the decoded images of a split, in memory.

    Args:
        split: `folder.Split`.
        headers: `Header` by path.
        channels: 1 or 3.

    Raises:
        ValueError: if one cannot be decoded.
    """
    of_split = [headers[path] for path in split.paths]
    sizes = np.array([(header.height, header.width) for header in of_split], np.int64)
    lengths = sizes.prod(axis=1) * channels
    ends = np.cumsum(lengths)
    pixels = empty_pixels(ends[-1])
    places = {p: slice(end - n, end) for p, end, n in zip(split.paths, ends, lengths)}

    def keep(path):
        def put(image):
            pixels[places[path]] = image.ravel()

        return _decode(path, channels, put)

    _of_all(keep, split.paths)
    if (sizes == sizes[0]).all():
        return PixelImages(pixels.reshape(-1, *sizes[0], channels), split.labels)
    return MixedImages(pixels, sizes, channels, split.labels)


def _decode(path, channels, use):
    try:
        use(decode(tf.io.read_file(os.fsencode(path)), channels).numpy())
    except (tf.errors.OpError, ValueError):  # ValueError: not of the size in its header
        return "is damaged or truncated"
    return None


class FileImages(Images):
    """Images in one file each, read and decoded when they are needed.

    Args:
        paths: of the files.
        labels: int32 classes, shape `[number]`.
    """

    def __init__(self, paths, labels):
        with tf.device("CPU"):
            self._paths = tf.constant([os.fsencode(path) for path in paths])
            self.labels = tf.constant(labels, tf.int32)

    def __len__(self):
        return len(self.labels)

    def read(self, index):
        """Returns one image, encoded, and its label."""
        return tf.io.read_file(self._paths[index]), self.labels[index]

    def check(self):
        """Raises ValueError, with their names, if images can no longer be read."""
        check([os.fsdecode(path) for path in self._paths.numpy()])
