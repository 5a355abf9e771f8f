"""Images in files: their headers, checks and pixels."""

import concurrent.futures
import contextlib
import hashlib
import os
import stat
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image

from orc_keras import startup
from orc_keras.data.decoding import decode, refusal
from orc_keras.data.images import Images, MixedImages, PixelImages, as_labels, empty_pixels
from orc_keras.data.preprocessing import Preprocessing
from orc_keras.formatting import first_few


class Header(NamedTuple):
    """What an image's file says of it before its pixels."""

    height: int
    width: int
    is_grey: bool
    has_alpha: bool
    has_16_bits: bool
    is_rotated: bool  # by its EXIF data, which is ignored


def read_headers(paths: Sequence[Path]) -> list[Header]:
    """Returns the `Header` of each file, or raises ValueError if one is refused."""
    try:
        return _for_each(_header, paths)
    except ValueError:
        check(paths)  # names the others that cannot be decoded, too
        raise


def _check_file(path):
    """Raises ValueError unless a path is of a file that may be read; no FIFO is waited for."""
    try:
        with open(
            path, "rb", opener=lambda *args: os.open(args[0], args[1] | os.O_NONBLOCK)
        ) as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except PermissionError as error:
        raise ValueError("may not be read by this user") from error
    except (OSError, ValueError):  # a name may be too long, or none
        is_file = False
    if not is_file:
        raise ValueError("is not a file")


def _header(path):
    _check_file(path)
    try:
        with open(path, "rb") as file:
            start, image = file.read(30), Image.open(file)
    except Exception as error:  # Pillow raises many kinds for what is not an image
        raise ValueError(f"is not a readable image ({type(error).__name__} of Pillow)") from error
    return Header(
        image.height,
        image.width,
        is_grey=image.mode in ("1", "L", "LA") or image.mode.startswith("I"),
        has_alpha=image.has_transparency_data,
        has_16_bits=image.format == "PNG" and start[24] == 16,  # which Pillow does not tell
        is_rotated=_is_rotated(image),
    )


def _is_rotated(image):
    exif = Image.Exif()
    # Damaged EXIF data rotate nothing. `image.getexif` would read a PNG whole.
    with contextlib.suppress(Exception):
        exif.load(image.info.get("exif", b""))
    return exif.get(ExifTags.Base.Orientation, 1) != 1


def fingerprint(root: Path, paths: Sequence[Path]) -> str:
    """Returns a short text that changes if files are added, removed, moved or changed.

    It depends on their names, their sizes, and their first and last 4,096 bytes.
    """
    digest = hashlib.sha256()
    for path, ends in zip(paths, _for_each(_hash_of_ends, paths)):
        name = unicodedata.normalize("NFC", str(path.relative_to(root)))
        digest.update(os.fsencode(name) + ends)
    return digest.hexdigest()[:16]


def _hash_of_ends(path):
    _check_file(path)
    size = path.stat().st_size
    with open(path, "rb") as file:
        first = file.read(4096)
        file.seek(max(0, size - 4096))
        return hashlib.sha256(b"%d" % size + first + file.read(4096)).digest()


def check(paths: Sequence[Path | str]) -> None:
    """Decodes every file once; raises ValueError if one cannot be decoded."""
    _for_each(lambda path: _decode(path, (None, None, 3)), paths)


def find_damaged(paths: Sequence[Path]) -> dict[Path, str]:
    """Returns why files are refused or cannot be decoded, by path; empty if all can be used."""

    def check(path):
        header = _header(path)
        _decode(path, (header.height, header.width, 3))

    results = zip(paths, _attempt(check, paths))
    return {path: str(error) for path, error in results if isinstance(error, ValueError)}


def in_memory(
    paths: Sequence[Path], labels: Sequence[int], sizes: Sequence[tuple[int, int]], channels: int
) -> Images:
    """Returns the decoded images of files of these sizes; raises ValueError as `check`."""
    ends = np.cumsum([height * width * channels for height, width in sizes])
    pixels = empty_pixels(int(ends[-1]))
    views = dict(zip(paths, zip(np.split(pixels, ends[:-1]), sizes)))

    def load(path):
        view, size = views[path]
        view[:] = _decode(path, (*size, channels)).ravel()

    _for_each(load, paths)
    if len(set(sizes)) == 1:
        return PixelImages(pixels.reshape(-1, *sizes[0], channels), labels)
    return MixedImages(pixels, np.array(sizes), channels, labels)


def read_pixels(path: str | Path, preprocessing: Preprocessing) -> np.ndarray:
    """Returns the image of a file as a network's input before it is normalised.

    Raises:
        ValueError: if there is no such file, or it may not be read, or its image not be decoded.
    """
    (pixels,) = _for_each(lambda path: _pixels(path, preprocessing.pixels), [path])
    return pixels


def _decode(path, shape):
    return _pixels(path, lambda encoded: tf.ensure_shape(decode(encoded, shape[-1]), shape))


def _pixels(path, function):
    """Returns what a function makes of the contents of a file."""
    _check_file(path)
    try:
        encoded = tf.io.read_file(os.fsencode(path))
        reason = bytes(refusal(encoded).numpy()).decode()
        pixels: Any = None if reason else function(encoded).numpy()
    except (tf.errors.OpError, ValueError) as error:
        raise ValueError("is damaged or truncated") from error
    if reason:
        raise ValueError(reason)
    return pixels


def _for_each(function: Callable, paths: Sequence[Path | str]) -> list:
    """Calls a function for each file, in parallel; collects its ValueErrors into one."""
    results = _attempt(function, paths)
    errors = [(str(p), error) for p, error in zip(paths, results) if isinstance(error, ValueError)]
    if errors:
        count = f"Of {len(paths):,} images {len(errors):,} cannot be used: " * (len(paths) > 1)
        raise ValueError(f"{count}{first_few(errors)}.")
    return results


def _attempt(function: Callable, paths: Sequence[Path | str]) -> list:
    """Returns what a function returns of each file, in parallel, or its ValueError.

    Warnings that do not name the image are silenced: libjpeg's of stray bytes, Pillow's of size.
    """

    def attempt(path):
        try:
            return function(path)
        except ValueError as error:
            return error

    pool = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count())
    with startup.silent_stderr(), warnings.catch_warnings(), pool:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return list(pool.map(attempt, paths))


class FileImages(Images):
    """Images in one file each, read and decoded when they are needed.

    Args:
        paths, labels: of the images.
        sizes: height and width of each, by which `check` finds one that was replaced.
    """

    def __init__(
        self,
        paths: Sequence[Path | str],
        labels: Any,
        sizes: Sequence[tuple[int, int]] | None = None,
    ):
        self.paths = [os.fsencode(path) for path in paths]
        self.labels = as_labels(labels, len(paths))
        self._sizes = dict(zip(self.paths, sizes or ()))
        with tf.device("CPU"):
            self._paths: Any = tf.constant(self.paths)

    def read(self, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        path = self._paths[index]
        # TensorFlow would wait for a FIFO for ever.
        is_file = tf.numpy_function(os.path.isfile, [path], tf.bool, stateful=False)
        message = tf.strings.join([path, " is not a file any more"])
        check = tf.debugging.Assert(tf.ensure_shape(is_file, []), [message])
        with tf.control_dependencies([check]):
            return tf.io.read_file(path), self.labels[index]

    def check(self) -> None:
        def check(path):
            _decode(path, (None, None, 3))
            header = _header(path)
            if self._sizes.get(os.fsencode(path), header[:2]) != header[:2]:
                raise ValueError(f"is now of {header.height} x {header.width} pixels")

        _for_each(check, list(map(os.fsdecode, self.paths)))
