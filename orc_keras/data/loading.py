"""`load`, from the name of a dataset to its images, and `dataset_size`, before any is read."""

import math
from typing import Annotated, Literal

from orc_keras.arguments import Range, check_arguments
from orc_keras.data import sources
from orc_keras.data.image_data import ImageData, divide
from orc_keras.data.pipeline import statistics
from orc_keras.data.preprocessing import Preprocessing

# Larger images are resized: the CIFAR recipe shifts by 4 pixels, which suits small images only.
LARGEST_UNRESIZED = 96
USUAL_SIZE = 224  # of resized images, as for ImageNet


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
    """Loads a dataset; `orc_keras.load_images` is this function.

    Args:
        dataset: Images: digits, cifar10, cifar100, imagenet2012, tfds:<any other name in
            TensorFlow Datasets>, folder:<path>, a folder with train/<class>/ and val/<class>/ (or
            validation/, or test/), or idx:<path>, a folder of IDX files such as MNIST's.
        data_dir: Folder of TensorFlow Datasets; empty: its usual place.
        image_size: Height and width that images are resized to; 0: unchanged if all have one size
            of at most 96 pixels, otherwise 224.
        validation_fraction: Fraction of the training images to hold out, in place of the dataset's
            own held-out images; needed where it has none.
        crop_flip: Augmentation of training images: crop, shifted by up to 4 pixels if they keep
            their size, else a random part of each; crop_and_flip, also mirrored; none; auto,
            crop_and_flip, but none for digits.
        memory_gb: Images that take at most so many GB (10^9 bytes) decoded are kept in memory;
            others are read anew in each epoch.
        known_fingerprint: `notes["files"]` of an earlier call; if a folder still holds the same
            files, its images are not decoded again to check them.
        held_out_only: no training images are needed. The classes may then lie in the folder
            itself, and `train` of the result is the held-out images.

    Raises:
        ValueError: if the dataset is unknown, missing or damaged, or has nothing to hold out.

    Example:

    >>> digits = load("digits")
    >>> digits.image_shape, digits.num_classes, len(digits.train), len(digits.held_out)
    ((8, 8, 1), 10, 1437, 360)
    >>> train = digits.train_batches(batch_size=64)
    >>> [(images.shape, labels.shape) for images, labels in train.take(1)]
    [(TensorShape([64, 8, 8, 1]), TensorShape([64]))]
    """
    check_arguments(
        load,
        dict(dataset=dataset, memory_gb=memory_gb, image_size=image_size, crop_flip=crop_flip)
        | dict(validation_fraction=validation_fraction),
    )
    source = _find(dataset, data_dir, validation_fraction, held_out_only)
    content = source.read(memory_gb * 1e9, known_fingerprint)
    names, images = zip(*content.splits.items())
    train, held_out, held_out_from = images[0], images[-1], names[-1]
    if held_out_only:
        train = held_out
    elif validation_fraction:
        train, held_out = divide(train, validation_fraction, "validation_fraction")
        held_out_from = "train"
    (height, width), resized = _input_size(content.size, image_size)
    image_shape = (height, width, content.channels)
    mean, std = content.statistics or statistics(train, Preprocessing(image_shape, resized))
    return ImageData(
        train,
        held_out,
        content.class_names,
        image_shape,
        mean,
        std,
        content.crop_flip if crop_flip == "auto" else crop_flip,
        resized,
        held_out_from,
        content.notes | {"place": sources.place(dataset, data_dir)},
    )


def dataset_size(
    dataset: str, data_dir: str = "", image_size: int = 0, validation_fraction: float = 0.0
) -> tuple[int, tuple[int, int]]:
    """Returns the number of training images, and the networks' input size, without reading any.

    The size is 224 x 224 if that of the images is not known before they are read. Arguments and
    errors as in `load`.
    """
    source = _find(dataset, data_dir, validation_fraction)
    number = next(iter(source.num_images.values()))
    held_back = math.ceil(number * validation_fraction)
    return number - held_back, _input_size(source.size, image_size)[0]


def _find(dataset, data_dir, validation_fraction, held_out_only=False):
    source = sources.find(dataset, data_dir or None, held_out_only)
    if len(source.num_images) < 2 and not (validation_fraction or held_out_only):
        raise ValueError(
            f"--dataset={dataset} has no held-out images (val, validation or test); hold back some "
            "of the training images with --validation_fraction=0.1."
        )
    return source


def _input_size(size, image_size):
    """Returns the size of the networks' input, and whether images must be resized to it."""
    if image_size:
        input_size = (image_size, image_size)
    elif size and max(size) <= LARGEST_UNRESIZED:
        input_size = size
    else:
        input_size = (USUAL_SIZE, USUAL_SIZE)
    return input_size, size != input_size
