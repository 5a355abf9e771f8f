"""Evaluates all members of a run on its held-out images."""

import numpy as np
from PIL import Image

from orc_keras import data
from orc_keras.evaluate.members import logits_function
from orc_keras.runs.predictions import Evaluation, Predictions

THUMBNAIL = 96  # pixels; a report shows larger images at this size
EXAMPLES = 6  # images shown of each pair of confused classes


def evaluate_group(networks, images, batch_size):
    """Returns the `Evaluation` of networks, given by name, *the* student last."""
    predictions = Predictions.of(
        logits_function(networks), data.held_out_batches(images, batch_size)
    )
    *_, of_student = predictions.values()
    pairs = of_student.confusions()
    shown = np.concatenate([np.zeros(0, int), *(wrong[:EXAMPLES] for *_, wrong in pairs)])
    return Evaluation(predictions, _thumbnails(images, shown))


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
