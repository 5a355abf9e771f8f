"""TensorFlow Lite files, for small devices: converted from a SavedModel, and run."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from orc_keras import files, startup

SIGNATURE = "serving_default"


class Unsupported(ValueError):
    """A network has an operation that a format lacks, or the format's runtime is missing."""


def interpreter(path: Path, **options: Any) -> Any:
    """Returns LiteRT's interpreter of a file; Unsupported if LiteRT is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise Unsupported("LiteRT is missing; pip install 'orc-keras[export]'.") from None
    return Interpreter(str(path), **options)


def convert(
    saved_model: Path, precision: str = "float32", calibration: Iterable[np.ndarray] = ()
) -> bytes:
    """Returns a TensorFlow Lite file of a SavedModel that takes raw images; its input stays uint8.

    Args:
        saved_model: its directory.
        precision: `float32`; `float16`, of the weights; `int8`, of weights and activations; or
            `int8-weights`, which leaves the activations in float.
        calibration: for `int8`, raw images, uint8 `[height, width, channels]`, by which the range
            of each activation is found.

    Raises:
        Unsupported: if the network has an operation that this precision lacks.
    """
    with files.without_patterns(saved_model) as plain, startup.silent_stderr():  # it is talkative
        converter = tf.lite.TFLiteConverter.from_saved_model(plain, signature_keys=[SIGNATURE])
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            # Without falling back to float: an operation that has no integers is an error.
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: (
                (SIGNATURE, {"images": np.asarray(image)[None]}) for image in calibration
            )
        try:
            return converter.convert()
        except Exception as error:  # the converter raises many kinds
            raise Unsupported(f"No TensorFlow Lite file in {precision}: {error}") from error


def load(path: Path, threads: int | None = None) -> Callable:
    """Returns a function from raw images to the outputs of a TensorFlow Lite file, by name."""
    with startup.silent_stderr():  # it reports its delegate
        run = interpreter(path, num_threads=threads).get_signature_runner(SIGNATURE)
        shape = run.get_input_details()["images"]["shape"][1:]
        run(images=np.zeros((1, *shape), np.uint8))
    return lambda images: run(images=np.asarray(images))
