"""How well a network does in each format, beside its Keras file, on held-out images."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from orc_keras import data
from orc_keras.data import ImageData
from orc_keras.export.formats import FORMATS, network_predictor
from orc_keras.runs.predictions import Predictions

MAX_IMAGES = 5000  # to evaluate on; some runtimes are slow on a CPU


def measure(
    paths: Mapping[str, Path], network: keras.Model, images: ImageData, batch_size: int
) -> dict[str, dict[str, float]]:
    """Runs files of a network by their own runtimes, on at most 5,000 held-out images.

    Args:
        paths: of the files, by the names of their formats.
        network: that they come from.
        images: those held out are used, evenly spaced.
        batch_size: images at a time.

    Returns:
        For each format that something here runs: `images`, their number; `accuracy`;
        `accuracy_of_network`; `agreement`, the share of images that file and network give the same
        class; `largest_difference` of a logit; `bytes` of the file or directory.
    """
    description = images.description()
    network_logits = network_predictor(network, description)
    predictors = {"": network_logits} | {
        name: load(path, description, None)
        for name, path in paths.items()
        if (load := FORMATS[name].load)
    }
    differences = dict.fromkeys(predictors, 0.0)

    def logits(batch):
        by_name = {name: np.asarray(p(batch.numpy())["logits"]) for name, p in predictors.items()}
        for name, each in by_name.items():
            difference = float(np.abs(each - by_name[""]).max())
            differences[name] = max(differences[name], difference)
        return by_name

    positions = _evenly_spaced(len(images.held_out), MAX_IMAGES)
    batches = data.held_out_pixels(images, positions, batch_size)
    predictions = Predictions.compute(logits, batches)
    expected = predictions.pop("")
    return {
        name: {
            "images": len(positions),
            "accuracy": each.accuracy(),
            "accuracy_of_network": expected.accuracy(),
            "agreement": float(np.mean(each.predicted == expected.predicted)),
            "largest_difference": differences[name],
            "bytes": _size(paths[name]),
        }
        for name, each in predictions.items()
    }


def representative_dataset(images: ImageData, number: int) -> list[np.ndarray]:
    """Returns raw training images, evenly spaced, uint8 `[height, width, channels]` each."""
    positions = _evenly_spaced(len(images.train), number)
    batches = data.held_out_pixels(images, positions, images=images.train)
    return [image for batch, _ in batches.as_numpy_iterator() for image in batch]


def _evenly_spaced(total: int, number: int) -> list[int]:
    return np.linspace(0, total - 1, min(number, total), dtype=np.int64).tolist()


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
