"""Evaluates networks on held-out images, and keeps what came out in the directory of a run."""

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from orc_keras import data
from orc_keras.evaluate.predictions import Outcomes

FILE = "evaluation.npz"  # in the directory of a run
THUMBNAIL = 96  # pixels; what a report shows of larger images is brought to this size
EXAMPLES = 6  # images of each pair of classes that are confused


class Evaluation(NamedTuple):
    """What all members of a run answered to its held-out images.

    Attributes:
        outcomes: `Outcomes` of each member, by name.
        examples: uint8 images by their position among those held out: some of those that the
            student took for another class.
    """

    outcomes: dict
    examples: dict


def logits_of(networks):
    """Returns a function from normalised images to the logits of several networks, by name."""
    shape = next(iter(networks.values())).input_shape[1:]

    # One function for all of them: TensorFlow would warn of many.
    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32)])
    def logits(images):
        return {name: network(images, training=False) for name, network in networks.items()}

    return logits


def evaluate_group(networks, images, batch_size):
    """Returns the `Evaluation` of networks by name, of which the last is *the* student."""
    outcomes = Outcomes.of(logits_of(networks), data.held_out_batches(images, batch_size))
    *_, of_student = outcomes.values()
    pairs = of_student.confusions()
    shown = np.concatenate([np.zeros(0, int), *(wrong[:EXAMPLES] for *_, wrong in pairs)])
    return Evaluation(outcomes, _thumbnails(images, shown))


def write(evaluation, path):
    """Writes an `Evaluation` as an `.npz` file."""
    arrays = {
        f"{name}/{field}": value
        for name, outcomes in evaluation.outcomes.items()
        for field, value in dataclasses.asdict(outcomes).items()
    }
    examples = {f"/{position}": image for position, image in evaluation.examples.items()}
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays, **examples)


def read(path):
    """Returns the `Evaluation` in a file.

    Raises:
        ValueError: if the file is damaged or missing.
    """
    try:
        with np.load(path) as arrays:
            by_place = {tuple(key.rsplit("/", 1)): arrays[key] for key in arrays.files}
        names = dict.fromkeys(name for name, _ in by_place if name)
        fields = [field.name for field in dataclasses.fields(Outcomes)]
        outcomes = {name: Outcomes(*(by_place[name, f] for f in fields)) for name in names}
    except Exception as error:  # NumPy and zipfile have many
        raise ValueError(f"{path} is damaged or missing.") from error
    return Evaluation(outcomes, {int(i): image for (n, i), image in by_place.items() if not n})


def _thumbnails(images, positions):
    pictures = {}
    batches = data.held_out_pixels(images, positions)
    pixels = (image for batch, _ in batches.as_numpy_iterator() for image in batch)
    for position, image in zip(positions.tolist(), pixels):
        grey = image.shape[-1] == 1
        picture = Image.fromarray(image[..., 0] if grey else image)
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        pictures[position] = np.asarray(picture)
    return pictures
