"""The images of a split, `Images`."""

import collections
import math
import os
import re
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow as tf

from orc_keras.formatting import is_printable

_ALIGNMENT = 64  # bytes, of TensorFlow's tensors
NO_CLASS = "An image has the label {label}; labels must be classes, 0 to {last}."


class Images:
    """The images of a split; reading one depends on its index alone.

    Attributes:
        labels: int32 classes, shape `[number]`; None if unknown before an image is read.
        reads_batches: whether `read` takes several indices at once.
        paths: the paths of the images' files, as bytes; empty if they have no files of their own.
    """

    reads_batches: bool = False
    labels: Any = None
    paths: Any = ()

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns an image, `[height, width, channels]` or encoded, and its label."""
        raise NotImplementedError

    def path(self, index: int) -> str | None:
        """Returns the path of an image's file, or None."""
        return os.fsdecode(self.paths[index]) if len(self.paths) else None

    def check(self) -> None:
        """Raises ValueError with the names of images that can no longer be read."""


def as_labels(labels: Any, number: int) -> tf.Tensor:
    """Returns the classes of images, one for each, as int32 where tf.data works."""
    labels = np.asarray(labels)
    if labels.shape != (number,):
        raise ValueError(f"{number:,} images have labels of shape {list(labels.shape)}.")
    if labels.dtype.kind not in "iuf" or (labels != labels.astype(np.int32)).any():
        raise ValueError("Labels must be whole numbers, the classes of the images.")
    with tf.device("CPU"):
        return tf.constant(labels, tf.int32)


def check_labels(images: Images, num_classes: int) -> None:
    """Raises ValueError if the label of an image is not a class.

    Where labels are unknown before images are read, some are read, evenly spaced.
    """
    labels = images.labels
    if labels is None:
        some = np.linspace(0, len(images) - 1, min(len(images), 8), dtype=np.int64)
        read = tf.data.Dataset.from_tensor_slices(some).map(images.read)
        labels = [label for _, label in read.as_numpy_iterator()]
    labels = np.asarray(labels)
    for label in labels[(labels < 0) | (labels >= num_classes)][:1]:
        raise ValueError(NO_CLASS.format(label=label, last=num_classes - 1))


def check_class_names(names: Collection[str], owner: Any) -> None:
    """Raises ValueError unless names are different lines of text, as files can hold them."""
    if isinstance(names, str) or not isinstance(names, Collection):
        raise ValueError(f"{owner} must have a list of class names, not {names!r}.")
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f"{owner} has a class {name!r}; a name is a text, and not empty.")
        if not is_printable(name):
            raise ValueError(f"{owner} has a class {name!r}, a name that cannot be printed.")
    for name, number in collections.Counter(names).items():
        if number > 1:
            raise ValueError(f"{owner} has {number} classes {name!r}; each needs its own name.")


def reason_of(error: tf.errors.OpError) -> str:
    """Returns what an assertion in the reading of an image says, or the first line of the error."""
    found = re.search(r"assertion failed: \[(.*?)\](?:\s|$)", error.message)
    return found[1] if found else error.message.split("\n")[0]


def empty_pixels(*shape: int) -> np.ndarray:
    """Returns an uninitialised uint8 array whose memory a tensor can share."""
    size = math.prod(shape)
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % _ALIGNMENT
    return memory[begin : begin + size].reshape(shape)


def _as_tensor(pixels):
    """Returns a tensor that shares an array's memory; `tf.constant` would copy it twice."""
    if pixels.ctypes.data % _ALIGNMENT or not pixels.flags.c_contiguous:
        aligned = empty_pixels(*pixels.shape)
        aligned[:] = pixels
        pixels = aligned
    return tf.experimental.dlpack.from_dlpack(pixels.__dlpack__())


class PixelImages(Images):
    """Decoded images of one size, in memory; several can be read at once.

    Args:
        pixels: uint8, shape `[number, height, width, channels]`; not copied if from `empty_pixels`.
        labels: classes, shape `[number]`.
    """

    reads_batches = True

    def __init__(self, pixels: np.ndarray, labels: Any):
        if pixels.dtype != np.uint8 or pixels.ndim != 4:
            raise ValueError(
                "pixels must be uint8 [number, height, width, channels], not "
                f"{pixels.dtype} {list(pixels.shape)}."
            )
        self.labels = as_labels(labels, len(pixels))
        self.pixels = _as_tensor(pixels)

    def read(self, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns images `[..., height, width, channels]` and labels for `index`, `[...]`."""
        return tf.gather(self.pixels, index), tf.gather(self.labels, index)


class MixedImages(Images):
    """Decoded images of different sizes, in memory, one after the other.

    Args:
        pixels: uint8, shape `[bytes]`: each image's rows, pixels and channels in order.
        sizes: height and width of each image, shape `[number, 2]`.
        channels: the same for every image.
        labels: int32 classes, shape `[number]`.
    """

    def __init__(self, pixels: np.ndarray, sizes: np.ndarray, channels: int, labels: Any):
        self._channels = channels
        self._pixels = _as_tensor(pixels)
        self.labels = as_labels(labels, len(sizes))
        with tf.device("CPU"):
            self._sizes = tf.constant(sizes, tf.int64)
            lengths = tf.reduce_prod(self._sizes, axis=1) * channels
            self._starts = tf.cumsum(lengths, exclusive=True)

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        shape = tf.concat([self._sizes[index], [self._channels]], axis=0)
        pixels = tf.slice(self._pixels, [self._starts[index]], [tf.reduce_prod(shape)])
        image = tf.ensure_shape(tf.reshape(pixels, shape), [None, None, self._channels])
        return image, self.labels[index]


class Subset(Images):
    """Some images of a split, by their indices, without copying them."""

    def __init__(self, images: Images, indices: Any):
        self._images = images
        self.reads_batches = images.reads_batches
        with tf.device("CPU"):
            self._indices = tf.constant(indices, tf.int64)
            if images.labels is not None:
                self.labels = tf.gather(images.labels, self._indices)

    def __len__(self) -> int:
        return len(self._indices)

    def read(self, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._images.read(tf.gather(self._indices, index))

    def path(self, index: int) -> str | None:
        return self._images.path(int(self._indices[index]))

    def check(self) -> None:
        self._images.check()
