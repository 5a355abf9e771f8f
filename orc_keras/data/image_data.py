"""`ImageData`: all images of a run, and their mini-batches."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from orc_keras.data import pipeline
from orc_keras.data.images import Images, Subset, check_class_names, check_labels, reason_of
from orc_keras.data.preprocessing import CENTRAL, Preprocessing


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Training and held-out images, and how they are processed for the networks.

    `load_images` returns one. A label that is not a class is a ValueError.

    Attributes:
        train: the training images.
        held_out: the images for evaluation only.
        class_names: the names of the classes.
        image_shape: height, width and channels of the networks' input.
        mean, std: mean and standard deviation of each channel, with pixels scaled to 0..1.
        augmentation: of training images: `none`, `crop` or `crop_and_flip`.
        resized: whether images are resized, by the ImageNet recipe; if not, the CIFAR recipe holds.
        crop: as in `Preprocessing`, of images that are resized.
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
    crop: float = CENTRAL
    held_out_from: str = "test"
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    validation: Images | None = None

    def __post_init__(self):
        check_class_names(self.class_names, "The dataset")
        splits = {"training": self.train, self.held_out_from: self.held_out}
        for name, images in splits.items():
            try:
                check_labels(images, self.num_classes)
            except ValueError as error:
                raise ValueError(f"The {name} images cannot be used: {error}") from None

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the networks' input."""
        crop = self.crop if self.resized else None
        return Preprocessing(self.image_shape, crop, self.mean, self.std)

    def train_batches(
        self,
        batch_size: int = 64,
        seed: int = 0,
        augmentation: Sequence[pipeline.Augmentation] = (),
    ) -> tf.data.Dataset:
        """Returns the mini-batches of an epoch; iterated over again, those of the next.

        They are those of a run: in a new order in each epoch, augmented and normalised. The
        incomplete last one is dropped.

        Args:
            batch_size: images of a mini-batch.
            seed: of order and augmentation.
            augmentation: names, as in `data.train_batches`; so are result and errors.
        """
        return pipeline.train_batches(self, batch_size, seed, tuple(augmentation), endless=False)

    def held_out_batches(self, batch_size: int = 64) -> tf.data.Dataset:
        """Returns mini-batches of the held-out images in order; the last may be smaller."""
        return pipeline.held_out_batches(self, batch_size)

    def with_validation(self, fraction: float) -> "ImageData":
        """Returns the same with a fraction of the training images set apart for validation.

        They are the same for every seed, with equal shares of each class where classes are known.

        Raises:
            ValueError: if a part would lack a class.
        """
        train, validation = divide(self.train, fraction, "patience_fraction")
        return dataclasses.replace(self, train=train, validation=validation)

    @contextlib.contextmanager
    def naming_unreadable(self) -> Iterator[None]:
        """A context in which an image that can no longer be read is an OSError that names it."""
        try:
            yield
        except tf.errors.OpError as error:
            try:
                self.train.check()
                self.held_out.check()
            except ValueError as reason:
                raise OSError(f"Images can no longer be read. {reason}") from error
            if "assertion failed" in error.message:  # by what has read it
                raise OSError(f"An image could not be read: {reason_of(error)}") from error
            raise

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
