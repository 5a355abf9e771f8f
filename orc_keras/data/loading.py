"""`load`, from the name of a dataset to its images, and `dataset_size`, before any is read."""

import contextlib
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import tensorflow as tf

from orc_keras.arguments import Range, check_arguments
from orc_keras.data import sources
from orc_keras.data.decoding import MOST_PIXELS
from orc_keras.data.image_data import ImageData, divide
from orc_keras.data.images import reason_of
from orc_keras.data.pipeline import statistics
from orc_keras.data.preprocessing import CENTRAL, Preprocessing

# Larger images are resized: the CIFAR recipe shifts by 4 pixels, which suits small images only.
LARGEST_UNRESIZED = 96
USUAL_SIZE = 224  # of resized images, as for ImageNet
# Images of different sizes are resized to the multiple of this that is closest below their median,
# so that half of them are not enlarged. The networks halve an image up to five times.
SIZE_STEP = 32


def load(
    dataset: str,
    data_dir: str = "",
    image_size: Annotated[int, Range(at_least=0, at_most=math.isqrt(MOST_PIXELS))] = 0,
    validation_fraction: Annotated[float, Range(at_least=0, at_most=1)] = 0.0,
    crop_flip: Literal["auto", "none", "crop", "crop_and_flip"] = "auto",
    memory_gb: Annotated[float, Range(at_least=0)] = 4.0,
    skip_damaged: bool = False,
    *,
    known_notes: Mapping[str, Any] | None = None,
    held_out_only: bool = False,
) -> ImageData:
    """Loads a dataset; `orc_keras.load_images` is this function.

    Args:
        dataset: Images: digits, cifar10, cifar100, imagenet2012, tfds:<any other name in
            TensorFlow Datasets>, folder:<path>, a folder with train/<class>/ and val/<class>/ (or
            validation/, or test/) or, with a --validation_fraction, <class>/ only; or idx:<path>,
            a folder of IDX files such as MNIST's.
        data_dir: Folder of TensorFlow Datasets; empty: its usual place.
        image_size: Height and width that images are resized to; 0: unchanged if all have one size
            of at most 96 pixels, otherwise 224; but where the sizes in a folder differ, the median
            of the shorter sides of its training images, rounded down to a multiple of 32, if that
            is less, and at least 32.
        validation_fraction: Fraction of the training images to hold out, in place of the dataset's
            own held-out images; needed where it has none.
        crop_flip: Augmentation of training images: crop, shifted by up to 4 pixels if they keep a
            size of at most 96, else a random part of each; crop_and_flip, also mirrored; none;
            auto, crop_and_flip, but none for digits.
        memory_gb: Images that take at most so many GB (10^9 bytes) decoded are kept in memory;
            others are read anew in each epoch.
        skip_damaged: Leave out files of a folder that cannot be decoded, or that TensorFlow would
            decode wrongly, in place of ending with their names.
        known_notes: `notes` of an earlier call. Files that were skipped then are left out again; if
            a folder still holds the others, `files`, they are not decoded again to check them.
        held_out_only: no training images are needed. The classes may then lie in the folder
            itself, and `train` of the result is the held-out images.

    Raises:
        ValueError: if the dataset is unknown, missing or damaged, or has nothing to hold out.

    Examples:
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
        | dict(validation_fraction=validation_fraction, skip_damaged=skip_damaged),
    )
    place = sources.place(dataset, data_dir)
    check_arguments(load, place)  # whoever evaluates a run loads by it
    arguments = (dataset, data_dir or None, held_out_only, skip_damaged, known_notes)
    source = sources.find(*arguments)
    if not (held_out_only or validation_fraction):
        _check_held_out(source, dataset)
    with _naming(dataset):
        content = source.read(memory_gb * 1e9)
        train, held_out, held_out_from = _parts(content, validation_fraction, held_out_only)
        (height, width), resized = _input_size(source, image_size)
        image_shape = (height, width, content.channels)
        notes: dict[str, Any] = {"place": place}
        if _is_size_chosen(source, image_size):
            notes["median_side"] = source.median_side
        unnormalised = Preprocessing(image_shape, CENTRAL if resized else None)
        mean, std = content.statistics or statistics(train, unnormalised)
        return ImageData(
            train,
            held_out,
            content.class_names,
            image_shape,
            mean,
            std,
            content.crop_flip if crop_flip == "auto" else crop_flip,
            resized,
            held_out_from=held_out_from,
            notes=content.notes | notes,
        )


def dataset_size(
    dataset: str,
    data_dir: str = "",
    image_size: int = 0,
    validation_fraction: float = 0.0,
    skip_damaged: bool = False,
) -> tuple[int, tuple[int, int]]:
    """Returns the number of training images, and the networks' input size, without their pixels.

    `skip_damaged` decodes the images of a folder, though. Arguments and errors as in `load`.
    """
    source = sources.find(dataset, data_dir or None, skip_damaged=skip_damaged)
    if not validation_fraction:
        _check_held_out(source, dataset)
    number = next(iter(source.num_images.values()))
    held_back = math.ceil(number * validation_fraction)
    return number - held_back, _input_size(source, image_size)[0]


@contextlib.contextmanager
def _naming(dataset):
    """Turns an error of TensorFlow's reading into a ValueError that names the dataset."""
    try:
        yield
    except tf.errors.OpError as error:
        raise ValueError(f"--dataset={dataset} cannot be read: {reason_of(error)}") from error


def _parts(content, validation_fraction, held_out_only):
    """Returns the images to learn from, the held-out ones, and the split that these are from."""
    names, images = zip(*content.splits.items())
    if held_out_only:
        return images[-1], images[-1], names[-1]
    if validation_fraction:
        return *divide(images[0], validation_fraction, "validation_fraction"), "train"
    return images[0], images[-1], names[-1]


def _check_held_out(source, dataset):
    if len(source.num_images) < 2:
        raise ValueError(
            f"--dataset={dataset} has no held-out images (val, validation or test); hold back some "
            "of the training images with --validation_fraction=0.1."
        )


def _input_size(source, image_size):
    """Returns the size of the networks' input, and whether the recipe is that of resized images."""
    size, side = source.size, image_size or USUAL_SIZE
    if size and max(size) <= LARGEST_UNRESIZED and not image_size:
        return size, False
    if _is_size_chosen(source, image_size):
        side = min(max(source.median_side // SIZE_STEP * SIZE_STEP, SIZE_STEP), USUAL_SIZE)
    return (side, side), size != (side, side) or side > LARGEST_UNRESIZED


def _is_size_chosen(source, image_size):
    """Whether the images' sizes determine that of the networks' input."""
    return not (source.size or image_size) and source.median_side is not None
