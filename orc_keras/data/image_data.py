"""`ImageData`, the images of a run, and `load`, which makes it from a dataset's name."""

import dataclasses
import math
from typing import Annotated, Literal

import numpy as np

from orc_keras.arguments import Range, check_arguments
from orc_keras.data import sources
from orc_keras.data.images import Images, Subset
from orc_keras.data.pipeline import statistics

# Larger images are resized: the CIFAR recipe shifts by 4 pixels, which suits small images only.
LARGEST_UNRESIZED = 96
USUAL_SIZE = 224  # of resized images, as for ImageNet


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Training and held-out images, and how they are processed for the networks.

    Attributes:
        train: the training images, `orc_keras.data.images.Images`.
        held_out: the images for evaluation only, `Images` too.
        class_names: the names of the classes.
        image_shape: height, width and channels of the networks' input.
        mean, std: mean and standard deviation of each channel, with pixels scaled to 0..1.
        augmentation: of training images: `none`, `crop` or `crop_and_flip`.
        resized: whether images are resized, by the ImageNet recipe; if not, the CIFAR recipe holds.
        held_out_from: the split that the held-out images come from.
        notes: facts about the source for the summary.
        validation: images from the training split to stop early by; None: there are none.
    """

    train: Images
    held_out: Images
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augmentation: str = "none"
    resized: bool = False
    held_out_from: str = "test"
    notes: dict = dataclasses.field(default_factory=dict)
    validation: Images | None = None

    @property
    def num_classes(self):
        return len(self.class_names)

    def with_validation(self, fraction):
        """Returns the same with a part of the training images set apart for validation.

        Args:
            fraction: the part, above 0 and below 1. It is the same for every seed, with equal
                shares of each class where classes are known.

        Raises:
            ValueError: if a part would lack a class.
        """
        train, validation = _divide(self.train, fraction, "patience_fraction")
        return dataclasses.replace(self, train=train, validation=validation)

    def check(self):
        """Raises ValueError, which names them, if images can no longer be read."""
        self.train.check()
        self.held_out.check()

    def description(self):
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


def load(
    dataset: str,
    data_dir: str = "",
    image_size: Annotated[int, Range(at_least=0)] = 0,
    validation_fraction: Annotated[float, Range(at_least=0, at_most=1)] = 0.0,
    crop_flip: Literal["auto", "none", "crop", "crop_and_flip"] = "auto",
    memory_gb: Annotated[float, Range(at_least=0)] = 4.0,
    *,
    known_fingerprint: str | None = None,
    held_out_only: bool = False,
) -> ImageData:
    """Loads a dataset.

    Args:
        dataset: Images: digits, cifar10, cifar100, imagenet2012, tfds:<any other name in
            TensorFlow Datasets>, folder:<path>, a folder with train/<class>/ and val/<class>/ (or
            validation/, or test/), or idx:<path>, a folder of IDX files such as MNIST's.
        data_dir: Folder of TensorFlow Datasets; empty: its usual place.
        image_size: Height and width that images are resized to; 0: none where all are equally
            large and at most 96 pixels, otherwise 224.
        validation_fraction: Part of the training images to hold out in place of the dataset's own
            held-out images; needed where it has none.
        crop_flip: What happens to training images. crop: those that keep their size are shifted by
            up to 4 pixels, those that are resized are replaced by a random part of them;
            crop_and_flip: also mirrored; auto: crop_and_flip, but none for digits.
        memory_gb: Images that take at most so many GB (10^9 bytes) decoded are kept in memory;
            others are read anew in each epoch.
        known_fingerprint: `notes["files"]` of an earlier call; if a folder still holds the same
            files, its images are not decoded again to check them.
        held_out_only: no training images are needed. The classes may then lie in the folder
            itself, and `train` of the result is the held-out images.

    Returns:
        `ImageData`.

    Example:

    >>> digits = load("digits")
    >>> digits.image_shape, digits.num_classes, len(digits.train), len(digits.held_out)
    ((8, 8, 1), 10, 1437, 360)

    Raises:
        ValueError: if the dataset is unknown, missing or damaged, or has nothing to hold out.
    """
    check_arguments(
        load,
        dict(dataset=dataset, memory_gb=memory_gb, image_size=image_size, crop_flip=crop_flip)
        | dict(validation_fraction=validation_fraction),
    )
    source = sources.find(
        dataset, data_dir or None, memory_gb * 1e9, known_fingerprint, held_out_only
    )
    splits = list(source.splits.items())
    if held_out_only:
        splits = [splits[-1]] * 2
    divided = _hold_out(splits, validation_fraction, dataset)
    return _image_data(source, *divided, image_size, crop_flip)


def _image_data(source, train, held_out_from, held_out, image_size, crop_flip):
    """Returns the `ImageData` of a source whose splits have been divided."""
    size, resized = _size(source.size, image_size)
    image_shape = (*size, source.channels)
    mean, std = source.statistics or statistics(train, image_shape, resized)
    return ImageData(
        train,
        held_out,
        source.class_names,
        image_shape,
        mean,
        std,
        source.crop_flip if crop_flip == "auto" else crop_flip,
        resized,
        held_out_from,
        source.notes,
    )


def _size(size, image_size):
    """Returns the size of the networks' input, and whether images must be resized to it."""
    if image_size:
        wanted = (image_size, image_size)
    elif size and max(size) <= LARGEST_UNRESIZED:
        wanted = size
    else:
        wanted = (USUAL_SIZE, USUAL_SIZE)
    return wanted, size != wanted


def _hold_out(splits, fraction, dataset):
    """Returns the training images, and the name and the images of the held-out split."""
    (_, train), *others = splits
    if fraction:
        train, held_back = _divide(train, fraction)
        return train, "train", held_back
    if not others:
        raise nothing_held_out(dataset)
    return train, *others[0]


def nothing_held_out(dataset):
    """Returns the ValueError for a dataset with one split."""
    return ValueError(
        f"--dataset={dataset} has no held-out images (val, validation or test); hold back some "
        "of the training images with --validation_fraction=0.1."
    )


def impossible_fraction(fraction, number, flag="validation_fraction"):
    """Returns the ValueError for a division in which one part lacks a class."""
    return ValueError(
        f"--{flag}={fraction} is impossible with {number:,} images: both parts need "
        "at least one of each class."
    )


def dataset_size(
    dataset: str, data_dir: str = "", image_size: int = 0, validation_fraction: float = 0.0
) -> tuple[int, tuple[int, int]]:
    """Returns the number and the size of the images that `load` would give, without reading any.

    Args:
        dataset: as in `load`, like the other arguments.

    Returns:
        The number of training images; and the input's height and width, 224 if the images' size is
        not known before they are read.

    Raises:
        ValueError: if the dataset is unknown or missing, or has nothing to hold out.
    """
    needed, numbers, size = sources.count(dataset, data_dir or None)
    number, *others = numbers.values()
    held_back = math.ceil(number * validation_fraction)
    if validation_fraction and min(held_back, number - held_back) < needed:
        raise impossible_fraction(validation_fraction, number)
    if not (validation_fraction or others):
        raise nothing_held_out(dataset)
    return number - held_back, _size(size, image_size)[0]


def _divide(images, fraction, flag="validation_fraction"):
    """Splits images at random with a fixed seed, stratified by class if labels are known."""
    from sklearn.model_selection import train_test_split

    labels = None if images.labels is None else images.labels.numpy()
    try:
        kept, held_back = train_test_split(
            np.arange(len(images)), test_size=fraction, random_state=0, stratify=labels
        )
    except ValueError as error:
        raise impossible_fraction(fraction, len(images), flag) from error
    return Subset(images, np.sort(kept)), Subset(images, np.sort(held_back))
