"""The formats that a network is exported in: what writes each, and what runs it.

In all but `keras` a network takes raw images, `images`, uint8 `[batch, height, width, channels]`,
and answers with `logits` and `probabilities`, float32 `[batch, classes]`, and `classes`, int64
`[batch]`, the most probable one.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from orc_keras import data
from orc_keras.evaluate.members import logits_function
from orc_keras.export import onnx_file, tflite, web
from orc_keras.export.saved_model import export_saved_model
from orc_keras.runs.names import SUFFIXES


@dataclasses.dataclass(frozen=True)
class Source:
    """A network, as all formats are made from it.

    Attributes:
        network: a `keras.Model` from normalised images to logits.
        data: `ImageData.description()`.
        saved_model: the directory of its SavedModel.
        calibration: raw training images, uint8 `[height, width, channels]`, for `tflite-int8`.
    """

    network: keras.Model
    data: dict
    saved_model: Path
    calibration: list = ()

    @functools.cached_property
    def tflite(self):
        """The bytes of its TensorFlow Lite file in float32."""
        return tflite.convert(self.saved_model)


class Format(NamedTuple):
    """A format.

    Attributes:
        write: a function of a `Source` and a path.
        answers: a function of the path, the `Source`'s `data` and a number of threads (None: the
            runtime's choice), which returns a function from raw images to answers by name; None:
            nothing here runs it.
        check: raises ValueError if what writes it is not installed.
    """

    write: Callable
    answers: Callable | None
    check: Callable = lambda: None


def _answers_of_keras(path, description, threads=None):
    return of_network(keras.saving.load_model(path, compile=False), description)


def of_network(network, description):
    """Returns the function from raw images to answers of a Keras network; as `Format.answers`."""
    compute = logits_function({"network": network})

    def answers(images):
        normalised = data.normalise(images, description["mean"], description["std"])
        logits = np.asarray(compute(normalised)["network"])
        return {
            "logits": logits,
            "probabilities": softmax(logits, axis=1),
            "classes": logits.argmax(axis=1),
        }

    return answers


def _answers_of_saved_model(path, description, threads=None):
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda images: serve(images=tf.convert_to_tensor(images))


def _lite(precision):
    def write(source, path):
        in_float32 = precision == "float32"
        convert = functools.partial(tflite.convert, source.saved_model, precision)
        path.write_bytes(source.tflite if in_float32 else convert(source.calibration))

    return Format(write, lambda path, description, threads=None: tflite.answers(path, threads))


SAVED_MODEL, INT8 = "saved_model", "tflite-int8"
FORMATS = {  # in the order in which they are written
    SAVED_MODEL: Format(
        lambda source, path: export_saved_model(source.network, source.data, path),
        _answers_of_saved_model,
    ),
    "keras": Format(lambda source, path: source.network.save(path), _answers_of_keras),
    "tflite": _lite("float32"),
    "tflite-float16": _lite("float16"),
    INT8: _lite("int8"),
    "tflite-int8-weights": _lite("int8-weights"),
    "onnx": Format(
        lambda source, path: onnx_file.write(source.tflite, path),
        lambda path, description, threads=None: onnx_file.answers(path, threads),
        onnx_file.check,
    ),
    "web": Format(
        lambda source, path: web.write(source.tflite, source.data, path),
        None,
        web.check,
    ),
}


def check(names):
    """Raises ValueError if a format is unknown, or what writes it is not installed."""
    check_known(names, FORMATS)
    for name in names:
        FORMATS[name].check()


def check_known(names, possible):
    """Raises ValueError if there is no format, or one that is not possible."""
    if unknown := [name for name in names if name not in possible] or [""] * (not names):
        raise ValueError(f"--formats={unknown[0]} is unknown; possible are {', '.join(possible)}.")


def path_of(saved_model, name):
    """Returns the path of a network's file in a format, beside that of its SavedModel."""
    return saved_model.with_name(saved_model.name + SUFFIXES[name])
