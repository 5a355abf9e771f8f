"""Backbones that have learnt ImageNet: Keras Applications and KerasHub, with a new last layer."""

import hashlib
import importlib
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from orc_keras.models import parts

BACKBONE = "backbone"  # the name of its layer in the member


def check(source: str) -> None:
    """Raises ValueError if there is no such backbone, as far as can be told without loading it."""
    library, _, name = source.partition(":")
    if library == "applications":
        _find_application(name)
    else:
        _import_keras_hub()


def build(
    source: str,
    name: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
    to_pixels: keras.Layer,
) -> keras.Model:
    """Returns a backbone with its weights and a new last layer.

    The backbone gets what it was trained on: normalisation is undone, a grey image is given to all
    three channels, and pixels are preprocessed as its authors did. `to_pixels` makes pixels from 0
    to 255 of normalised images.

    Raises:
        ValueError: if there is no such backbone, or it does not take such images.
    """
    library, _, backbone_name = source.partition(":")
    *size, channels = image_shape
    if channels not in (1, 3):
        raise ValueError(f"{source} takes images of 3 channels, or of 1, not of {channels}.")
    load = _load_application if library == "applications" else _load_preset
    backbone, preprocess = load(backbone_name, (*size, 3))
    inputs = keras.Input(image_shape)
    pixels = to_pixels(inputs)
    if channels == 1:
        pixels = keras.layers.Concatenate(name="grey")([pixels] * 3)
    logits = parts.classifier(backbone(preprocess(pixels)), num_classes)
    return keras.Model(inputs, logits, name=name)


def checksum(network: keras.Model) -> str:
    """Returns the SHA-256 of the weights of the backbone in a member."""
    digest = hashlib.sha256()
    for weight in network.get_layer(BACKBONE).weights:
        digest.update(np.asarray(weight).tobytes())
    return digest.hexdigest()


def _find_application(name) -> Callable:
    functions = {n: f for n, f in vars(keras.applications).items() if inspect.isfunction(f)}
    if name not in functions:
        raise ValueError(f"Keras Applications has no {name!r}; there are {', '.join(functions)}.")
    return functions[name]


def _load_application(name, shape):
    function = _find_application(name)
    options = {"include_top": False, "weights": "imagenet", "pooling": "avg", "name": BACKBONE}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # weights for 224 x 224 are those for other sizes too
            backbone = function(input_shape=shape, **options)
    except Exception as error:  # what Keras raises if it cannot download
        raise ValueError(
            f"{name} cannot be loaded (without internet, put its file of weights into models/ in "
            f"the folder KERAS_HOME, ~/.keras): {error}"
        ) from error
    return backbone, vars(inspect.getmodule(function))["preprocess_input"]


def _import_keras_hub() -> Any:
    try:
        return importlib.import_module("keras_hub")
    except ImportError as error:
        raise ValueError("KerasHub is not installed: pip install orc-keras[hub].") from error


def _load_preset(preset, shape):
    keras_hub = _import_keras_hub()
    try:
        network = keras_hub.models.Backbone.from_preset(preset)
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except Exception as error:  # of the hosts of presets, many kinds
        raise ValueError(
            f"{preset} cannot be loaded; it must be a preset of images, such as "
            f"resnet_50_imagenet, or a folder that save_to_preset has written: {error}"
        ) from error
    inputs = keras.Input(shape)
    features = network(inputs)
    if not isinstance(features, keras.KerasTensor) or len(features.shape) not in (3, 4):
        raise ValueError(f"{preset} has no feature map; take the backbone of a classifier.")
    axes = tuple(range(1, len(features.shape) - 1))
    backbone = keras.Model(inputs, keras.ops.mean(features, axis=axes), name=BACKBONE)
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return backbone, keras.layers.Rescaling(scale, offset)
