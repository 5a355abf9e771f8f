"""The formats that a network is exported in: what writes each, and what runs it.

In all but `keras` a network takes raw images, `images`, uint8 `[batch, height, width, channels]`,
and returns `logits` and `probabilities`, float32 `[batch, classes]`, and `classes`, int64
`[batch]`, the most probable one.
"""

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from scipy.special import softmax

from orc_keras import data
from orc_keras.evaluate.members import logits_function
from orc_keras.export import onnx_file, saved_model, tflite, web
from orc_keras.groups.members import check_member
from orc_keras.networks import load_model
from orc_keras.run_files import SUFFIXES

SAVED_MODEL, INT8 = "saved_model", "tflite-int8"
Predictor = Callable[[np.ndarray], Mapping[str, Any]]  # from raw images to outputs by name


@dataclasses.dataclass(frozen=True)
class Source:
    """A network, as all formats are made from it."""

    network: keras.Model  # from normalised images to logits
    data: dict[str, Any]  # `ImageData.description()`
    saved_model: Path  # the directory of its SavedModel
    calibration: Sequence[np.ndarray] = ()  # raw training images, for `tflite-int8`

    @functools.cached_property
    def tflite(self) -> bytes:
        """Its TensorFlow Lite file in float32."""
        return tflite.convert(self.saved_model)


class Format(NamedTuple):
    """A format.

    Attributes:
        write: writes a `Source` to a path.
        load: returns the `Predictor` of a file, from its path, the `Source`'s `data` and a number
            of threads (None: the runtime's choice); None: nothing here runs it.
        check: raises ValueError if what writes it is not installed.
    """

    write: Callable[[Source, Path], object]
    load: Callable[[Path, dict[str, Any], int | None], Predictor] | None
    check: Callable[[], None] = lambda: None


def network_predictor(network: Any, description: dict[str, Any]) -> Predictor:
    """Returns the `Predictor` of a network that takes normalised images."""
    logits_of = logits_function({"network": network})

    def predict(images):
        normalised = data.normalise(images, description["mean"], description["std"])
        logits = np.asarray(logits_of(normalised)["network"])
        probabilities = softmax(logits, axis=1)
        return {"logits": logits, "probabilities": probabilities, "classes": logits.argmax(axis=1)}

    return predict


def _load_keras(path: Path, description: dict[str, Any]) -> Predictor:
    """Returns the `Predictor` of a file, which a user may have put there."""
    network = load_model(path)
    check_member(network)
    return network_predictor(network, description)


def _tflite(precision: str) -> Format:
    def write(source, path):
        path.write_bytes(tflite.convert(source.saved_model, precision, source.calibration))

    return Format(write, lambda path, data, threads: tflite.load(path, threads))


FORMATS = {  # in the order in which they are written
    SAVED_MODEL: Format(
        lambda source, path: saved_model.write(source.network, source.data, path),
        lambda path, data, threads: saved_model.load(path),
    ),
    "keras": Format(
        lambda source, path: source.network.save(path),
        lambda path, data, threads: _load_keras(path, data),
    ),
    "tflite": Format(lambda source, path: path.write_bytes(source.tflite), _tflite("float32").load),
    "tflite-float16": _tflite("float16"),
    INT8: _tflite("int8"),
    "tflite-int8-weights": _tflite("int8-weights"),
    "onnx": Format(
        lambda source, path: onnx_file.write(source.tflite, path),
        lambda path, data, threads: onnx_file.load(path, threads),
        onnx_file.check,
    ),
    "web": Format(
        lambda source, path: web.write(source.tflite, source.data, path), None, web.check
    ),
}


def load(name: str, path: Path, preprocessing: data.Preprocessing, num_classes: int) -> Predictor:
    """Returns the `Predictor` of a file in a format, which has answered a blank image.

    Args:
        name: of the format.
        path: of the file.
        preprocessing: of its images.
        num_classes: C.

    Raises:
        ValueError: if nothing here runs the format, its runtime is missing, the file is damaged, or
            it is of other images or classes.
    """
    FORMATS[name].check()
    function = FORMATS[name].load
    if function is None:
        raise ValueError(f"{path} is run by a browser only.")
    try:
        predict = function(path, preprocessing.as_json(), None)
        blank = np.zeros((1, *preprocessing.image_shape), np.uint8)
        shape = np.shape(predict(blank)["probabilities"])
    except Exception as error:  # each of the runtimes raises kinds of its own
        message = str(error)
        raise ValueError(
            message if message.startswith(str(path)) else f"{path} cannot be loaded: {message}"
        ) from error
    if shape != (1, num_classes):
        raise ValueError(f"{path} answers with {shape} probabilities for {num_classes} classes.")
    return predict


def check(names: Collection[str], possible: Collection[str] = tuple(FORMATS)) -> None:
    """Raises ValueError if no format is named, or one that is not possible."""
    if unknown := [name for name in names or [""] if name not in possible]:
        raise ValueError(f"--formats={unknown[0]} is unknown; possible are {', '.join(possible)}.")


def path_of(saved_model: Path, name: str) -> Path:
    """Returns the path of a network's file in a format, beside that of its SavedModel."""
    return saved_model.with_name(saved_model.name + SUFFIXES[name])
