"""Converts a network to TensorFlow Lite, for small devices, and evaluates the file."""

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from orc_keras import data, startup
from orc_keras.export.stock_layers import logits_of
from orc_keras.runs.predictions import Predictions

MOST_IMAGES = 5000  # to evaluate on; the interpreter is slow on a CPU


def convert(saved_model):
    """Returns the bytes of a TensorFlow Lite file of a SavedModel that takes raw images.

    It has the signature `serving_default` of the SavedModel; the weights stay float32.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(saved_model), signature_keys=["serving_default"]
    )
    return converter.convert()


def measure(content, network, images, batch_size):
    """Returns the accuracy of a TensorFlow Lite file and of the network it comes from.

    Args:
        content: the bytes of the file.
        network: the `keras.Model`, which takes normalised images.
        images: `ImageData`; at most 5,000 held-out images, evenly spaced, are used.
        batch_size: images at a time.

    Returns:
        A dict: `images`, their number; `accuracy`, the file's; `accuracy_of_network`.
    """
    number = min(MOST_IMAGES, len(images.held_out))
    some = np.linspace(0, len(images.held_out) - 1, number, dtype=np.int64)
    batches = data.held_out_pixels(images, some, batch_size)
    of_file, of_network = _logits_of(content), logits_of({"network": network})

    def logits(pixels):
        normalised = data.normalise(pixels, images.mean, images.std)
        return {"file": of_file(pixels), **of_network(normalised)}

    predictions = Predictions.of(logits, batches)
    return {
        "images": number,
        "accuracy": predictions["file"].accuracy(),
        "accuracy_of_network": predictions["network"].accuracy(),
    }


def _logits_of(content):
    with startup.silent_stderr():  # it reports its delegate
        run = Interpreter(model_content=content).get_signature_runner("serving_default")
        shape = run.get_input_details()["images"]["shape"][1:]
        run(images=np.zeros((1, *shape), np.uint8))
    return lambda pixels: run(images=np.asarray(pixels))["logits"]
