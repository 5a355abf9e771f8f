"""How well a network does in each format, beside its Keras file, on held-out images."""

import numpy as np

from orc_keras import data
from orc_keras.export import formats
from orc_keras.runs.predictions import Predictions

MOST_IMAGES = 5000  # to evaluate on; some runtimes are slow on a CPU
NETWORK = "network"
FIGURES = ["images", "accuracy", "accuracy_of_network", "agreement", "largest_difference", "bytes"]


def measure(paths, network, images, batch_size):
    """Runs files of a network by their own runtimes.

    Args:
        paths: of the files, by the names of their formats.
        network: the `keras.Model` that they come from.
        images: `ImageData`; at most 5,000 held-out images, evenly spaced, are used.
        batch_size: images at a time.

    Returns:
        For each format that something here runs, a dict: `images`, their number; `accuracy`;
        `accuracy_of_network`; `agreement`, the share of images that file and network give the same
        class; `largest_difference` of a logit; `bytes` of the file or directory.
    """
    number = min(MOST_IMAGES, len(images.held_out))
    some = np.linspace(0, len(images.held_out) - 1, number, dtype=np.int64)
    batches = data.held_out_pixels(images, some, batch_size)
    description = images.description()
    run = {
        name: formats.FORMATS[name].answers(path, description)
        for name, path in paths.items()
        if formats.FORMATS[name].answers
    }
    run[NETWORK] = formats.of_network(network, description)
    largest = dict.fromkeys(run, 0.0)

    def logits(pixels):
        pixels = pixels.numpy()
        given = {name: np.asarray(answers(pixels)["logits"]) for name, answers in run.items()}
        for name, each in given.items():
            difference = float(np.abs(each - given[NETWORK]).max())
            largest[name] = max(largest[name], difference)
        return given

    predictions = Predictions.of(logits, batches)
    of_network = predictions.pop(NETWORK)
    return {
        name: {
            "images": number,
            "accuracy": each.accuracy(),
            "accuracy_of_network": of_network.accuracy(),
            "agreement": float(np.mean(each.predicted == of_network.predicted)),
            "largest_difference": largest[name],
            "bytes": size(paths[name]),
        }
        for name, each in predictions.items()
    }


def size(path):
    """Returns the bytes of a file, or of all files of a directory."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
