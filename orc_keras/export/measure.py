"""How well a network does in each format, beside its Keras file, on held-out images."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import keras
import numpy as np

from orc_keras import data
from orc_keras.data import ImageData
from orc_keras.export.formats import FORMATS, Predictor, network_predictor
from orc_keras.runs.predictions import Predictions

MAX_IMAGES = 5000  # to evaluate on; some runtimes are slow on a CPU
NETWORK = "network"
FIGURES = ("images", "accuracy", "accuracy_of_network", "agreement", "largest_difference", "bytes")


def measure(
    paths: Mapping[str, Path], network: keras.Model, images: ImageData, batch_size: int
) -> dict[str, dict[str, float]]:
    """Runs files of a network by their own runtimes.

    Args:
        paths: of the files, by the names of their formats.
        network: that they come from.
        images: at most 5,000 held-out images, evenly spaced, are used.
        batch_size: images at a time.

    Returns:
        For each format that something here runs: `images`, their number; `accuracy`;
        `accuracy_of_network`; `agreement`, the share of images that file and network give the same
        class; `largest_difference` of a logit; `bytes` of the file or directory.
    """
    description = images.description()
    predictors = {
        name: load(path, description)
        for name, path in paths.items()
        if (load := FORMATS[name].load)
    }
    predictors[NETWORK] = network_predictor(network, description)
    positions = evenly_spaced(len(images.held_out), MAX_IMAGES)
    batches = data.held_out_pixels(images, positions, batch_size)
    predictions, differences = _predict(predictors, batches)
    expected = predictions.pop(NETWORK)
    return {
        name: {
            "images": len(positions),
            "accuracy": each.accuracy(),
            "accuracy_of_network": expected.accuracy(),
            "agreement": float(np.mean(each.predicted == expected.predicted)),
            "largest_difference": differences[name],
            "bytes": size(paths[name]),
        }
        for name, each in predictions.items()
    }


def _predict(predictors: Mapping[str, Predictor], batches: Iterable):
    """Returns the `Predictions`, and the largest difference of a logit from the network's."""
    largest = dict.fromkeys(predictors, 0.0)

    def logits(batch):
        pixels = batch.numpy()
        by_name = {name: np.asarray(p(pixels)["logits"]) for name, p in predictors.items()}
        for name, each in by_name.items():
            largest[name] = max(largest[name], float(np.abs(each - by_name[NETWORK]).max()))
        return by_name

    return Predictions.of(logits, batches), largest


def calibration(images: ImageData, number: int) -> list[np.ndarray]:
    """Returns raw training images, evenly spaced, uint8 `[height, width, channels]` each."""
    positions = evenly_spaced(len(images.train), number)
    batches = data.held_out_pixels(images, positions, images=images.train)
    return [image for batch, _ in batches.as_numpy_iterator() for image in batch]


def evenly_spaced(total: int, number: int) -> list[int]:
    """Returns at most so many positions below `total`."""
    return np.linspace(0, total - 1, min(number, total), dtype=np.int64).tolist()


def size(path: Path) -> int:
    """Returns the bytes of a file, or of all files of a directory."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
