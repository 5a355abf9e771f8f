"""Evaluates a member of a run, any network, an exported one as it is deployed, or a whole group."""

import contextlib
import dataclasses
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from PIL import Image

from orc_keras import data, networks, startup
from orc_keras.data import ImageData, Preprocessing
from orc_keras.evaluate.members import load_member, logits_function, to_keras_layers
from orc_keras.formatting import aligned_table
from orc_keras.runs import RunDirectory, finished_run
from orc_keras.runs.images import load_images, preprocess_as
from orc_keras.runs.predictions import TOP, Evaluation, Predictions

BATCH_SIZE = 64
MAX_CLASSES = 20  # in the table
THUMBNAIL = 96  # pixels; a report shows larger images at this size
EXAMPLES = 6  # images shown of each pair of confused classes
# The measures that a run records: their names in its summary, and the digits after the point that
# every machine computes alike.
RECORDED = {
    "top_1": ("accuracy", 6),
    "top_5": ("top_5", 6),
    "cross_entropy": ("cross_entropy", 4),
    "calibration_error": ("calibration_error", 4),
}


class Result(NamedTuple):
    """The result of an evaluation."""

    description: str  # the network and the images
    measures: dict[str, Any]  # `Predictions.metrics`
    recorded: dict[str, float] = {}  # what the run recorded of them; empty on other images

    def mismatches(self) -> list[str]:
        """Returns the measures that are not the recorded ones to the digit, as text."""
        return [
            f"{name} is {self.measures[name]:.6g}, recorded {value:.6g}"
            for name, value in self.recorded.items()
            if round(self.measures[name], RECORDED[name][1]) != round(value, RECORDED[name][1])
        ]


def evaluate_member(
    path: str | Path, member: str = "", dataset: str = "", data_dir: str = ""
) -> Result:
    """Evaluates a member of a finished run.

    Args:
        path: the run's directory.
        member: the member's name; empty: the student.
        dataset: the dataset whose held-out images to evaluate on, as for `train --dataset`, or
            `folder:<path>` with a folder for each class; empty: the run's held-out images.
        data_dir: the folder of TensorFlow Datasets.

    Raises:
        ValueError: if the run, the member or the images are missing, or do not fit.
    """
    run = finished_run(path)
    members = run.summary["members"]
    member = member or list(members)[-1]
    network = load_member(run, member)
    images, are_recorded = _images(run, dataset, data_dir)
    class_names = run.summary["data"]["class_names"]
    batches = data.held_out_batches(images, run.settings.batch_size)  # as when it was recorded
    batches = _relabel(batches, images, class_names)
    predictions = Predictions.compute(logits_function({member: network}), batches)[member]
    return Result(
        f"{member} of {path} on {dataset or run.settings.dataset}",
        predictions.metrics(class_names),
        {name: members[member][key] for name, (key, _) in RECORDED.items()} if are_recorded else {},
    )


def evaluate_exported(network: Any, dataset: str, data_dir: str = "") -> Result:
    """Evaluates an exported network on raw images, as it is deployed.

    Args:
        network: the `ExportedNetwork`.
        dataset: as in `evaluate_member`; so are `data_dir` and the errors.
    """
    images = preprocess_as(network.preprocessing, data.load(dataset, data_dir, held_out_only=True))
    pixels = data.held_out_pixels(images, range(len(images.held_out)), BATCH_SIZE)
    batches = _relabel(pixels, images, network.class_names)
    with startup.silent_stderr():  # libjpeg's warnings of stray bytes
        predictions = Predictions.compute(
            lambda pixels: {"": network.predict(pixels.numpy())["logits"]}, batches
        )[""]
    scope = f" (all {len(images.held_out):,} images)" if images.held_out_from == "images" else ""
    return Result(f"{network.path} on {dataset}{scope}", predictions.metrics(network.class_names))


def evaluate_network(source: str, dataset: str, data_dir: str = "") -> Result:
    """Evaluates a network on images that are normalised as in training on their dataset.

    They are resized to the size that the network takes, if they have another; larger ones than 96
    pixels are cropped as in evaluation on their dataset.

    Args:
        source: as for `networks.build`, such as a `.keras` file.
        dataset: as for `train --dataset`.
        data_dir: the folder of TensorFlow Datasets.

    Raises:
        ValueError: as `evaluate_member`.
    """
    images = _images_for(source, dataset, data_dir)
    network = networks.build(
        source, images.image_shape, images.num_classes, images.mean, images.std
    )
    predictions = predict({"": to_keras_layers(network)}, images, BATCH_SIZE)[""]
    return Result(f"{source} on {dataset}", predictions.metrics(images.class_names))


def predict(
    members: Mapping[str, keras.Model], images: ImageData, batch_size: int
) -> dict[str, Predictions]:
    """Returns the predictions of networks on the held-out images, by name."""
    return Predictions.compute(logits_function(members), data.held_out_batches(images, batch_size))


def evaluate_group(
    members: Mapping[str, keras.Model], images: ImageData, batch_size: int
) -> Evaluation:
    """Evaluates all members of a run, *the* student last, on its held-out images."""
    predictions = predict(members, images, batch_size)
    *_, student = predictions.values()
    confused = [position for *_, wrong in student.confusions() for position in wrong[:EXAMPLES]]
    examples = list(map(int, confused))
    files = {each: name for each in examples if (name := _file_name(images, each))}
    return Evaluation(predictions, _thumbnails(images, examples), files)


def table(measures: Mapping[str, Any]) -> str:
    """Returns measures as text; of many classes, those of lowest accuracy."""
    by_class = {n: a for n, a in measures["accuracy_by_class"].items() if a is not None}
    worst = sorted(by_class, key=lambda name: by_class[name])[:MAX_CLASSES]
    head = "class" if len(worst) == len(by_class) else f"the {MAX_CLASSES} worst classes"
    rows = [
        ("images", f"{measures['images']:,}"),
        ("top-1 accuracy", f"{measures['top_1']:.2%}"),
        *[("top-5 accuracy", f"{measures['top_5']:.2%}")]
        * (len(measures["accuracy_by_class"]) > TOP),
        ("balanced accuracy", f"{measures['balanced_accuracy']:.2%}"),
        ("cross-entropy (nats)", f"{measures['cross_entropy']:.4f}"),
        ("expected calibration error", f"{measures['calibration_error']:.2%}"),
    ]
    classes = [(name, f"{by_class[name]:.2%}") for name in by_class if name in worst]
    return f"{aligned_table(rows)}\n\n{aligned_table([(head, 'accuracy'), *classes])}"


def _images_for(source: str, dataset: str, data_dir: str) -> ImageData:
    """Returns images at the size that a network takes."""
    height, width = networks.image_size(source)
    side = height if height and height == width else 0
    images = data.load(dataset, data_dir, image_size=side)
    usual_height, usual_width, channels = images.image_shape
    shape = (height or usual_height, width or usual_width, channels)
    resized = images.resized or shape != images.image_shape
    return dataclasses.replace(images, image_shape=shape, resized=resized)


def _images(run: RunDirectory, dataset: str, data_dir: str) -> tuple[ImageData, bool]:
    """Returns the images to evaluate on, and whether they are those that the run recorded."""
    if not dataset:
        return load_images(run, data_dir), True
    if dataset.partition(":")[0] == run.settings.dataset.partition(":")[0]:
        with contextlib.suppress(ValueError):  # others, or there are no training images
            return load_images(run, data_dir, needs_training=True, dataset=dataset), True
    recorded = Preprocessing.from_description(run.summary["data"])
    return preprocess_as(recorded, data.load(dataset, data_dir, held_out_only=True)), False


def _relabel(batches: Iterable, images: ImageData, class_names: list[str]) -> Iterator:
    """Yields the batches, with the labels that the network has for classes of these names."""
    unknown = [name for name in images.class_names if name not in class_names]
    if unknown:
        raise ValueError(
            f"The images have {len(unknown)} classes that the network does not know, such as "
            f"{unknown[0]!r}; it knows {textwrap.shorten(', '.join(class_names), 80)}."
        )
    numbers = np.array([class_names.index(name) for name in images.class_names])
    return ((contents, numbers[labels.numpy()]) for contents, labels in batches)


def _file_name(images: ImageData, position: int) -> str | None:
    """Returns the name of a held-out image's file, as text and from the folder of the dataset."""
    path = images.held_out.path(position)
    if path is None:
        return None
    name = os.path.relpath(path, images.notes.get("source"))
    return os.fsencode(name).decode(errors="backslashreplace")


def _thumbnails(images: ImageData, positions: list[int]) -> dict[int, np.ndarray]:
    thumbnails = {}
    batches = data.held_out_pixels(images, positions)
    pixels = (image for batch, _ in batches.as_numpy_iterator() for image in batch)
    for position, image in zip(positions, pixels):
        picture = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image)
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        thumbnails[position] = np.asarray(picture)
    return thumbnails
