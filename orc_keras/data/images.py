"""The images of a split, `Images`, and those of a run, `ImageData`."""

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from orc_keras.data.preprocessing import Preprocessing

_ALIGNMENT = 64  # bytes, of TensorFlow's tensors


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
        if len(pixels) != len(labels):
            raise ValueError(f"{len(pixels):,} images have {len(labels):,} labels.")
        if pixels.dtype != np.uint8:
            raise ValueError(f"pixels must be of type uint8, not {pixels.dtype}.")
        self.pixels = _as_tensor(pixels)
        with tf.device("CPU"):  # where tf.data works
            self.labels = tf.constant(labels, tf.int32)

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
        with tf.device("CPU"):
            self._sizes = tf.constant(sizes, tf.int64)
            self.labels = tf.constant(labels, tf.int32)
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


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Training and held-out images, and how they are processed for the networks.

    Attributes:
        train: the training images.
        held_out: the images for evaluation only.
        class_names: the names of the classes.
        image_shape: height, width and channels of the networks' input.
        mean, std: mean and standard deviation of each channel, with pixels scaled to 0..1.
        augmentation: of training images: `none`, `crop` or `crop_and_flip`.
        resized: whether images are resized, by the ImageNet recipe; if not, the CIFAR recipe holds.
        held_out_from: the split that the held-out images come from.
        notes: facts about the source for the summary.
        validation: images from the training split to stop early by; None if not set apart.
    """

    train: Images
    held_out: Images
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: Sequence[float]
    std: Sequence[float]
    augmentation: str = "none"
    resized: bool = False
    held_out_from: str = "test"
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    validation: Images | None = None

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the networks' input."""
        return Preprocessing(self.image_shape, self.resized, self.mean, self.std)

    def with_validation(self, fraction: float) -> "ImageData":
        """Returns the same with a fraction of the training images set apart for validation.

        They are the same for every seed, with equal shares of each class where classes are known.

        Raises:
            ValueError: if a part would lack a class.
        """
        train, validation = divide(self.train, fraction, "patience_fraction")
        return dataclasses.replace(self, train=train, validation=validation)

    def check(self) -> None:
        """Raises ValueError with the names of images that can no longer be read."""
        self.train.check()
        self.held_out.check()

    def description(self) -> dict[str, Any]:
        """Returns all except the images, for a run's summary."""
        return {
            "image_shape": list(self.image_shape),
            "class_names": list(self.class_names),
            "mean": list(self.mean),
            "std": list(self.std),
            "augmentation": self.augmentation,
            "resized": self.resized,
            "train_images": len(self.train),
            "held_out_images": len(self.held_out),
            "held_out_from": self.held_out_from,
            **({"validation_images": len(self.validation)} if self.validation else {}),
            **self.notes,
        }


def divide(images: Images, fraction: float, flag: str) -> tuple[Subset, Subset]:
    """Splits images at random with a fixed seed, stratified by class if labels are known."""
    from sklearn.model_selection import train_test_split

    labels = None if images.labels is None else images.labels.numpy()
    try:
        kept, held_back = train_test_split(
            np.arange(len(images)), test_size=fraction, random_state=0, stratify=labels
        )
    except ValueError as error:
        raise ValueError(
            f"--{flag}={fraction} is impossible with {len(images):,} images: both parts need "
            "at least one of each class."
        ) from error
    return Subset(images, np.sort(kept)), Subset(images, np.sort(held_back))
