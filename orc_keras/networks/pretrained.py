"""Backbones that have learnt ImageNet: Keras Applications and KerasHub, with a new last layer."""

import dataclasses
import difflib
import hashlib
import importlib.util
import inspect
import os
import re
import types
import warnings

import keras
import numpy as np

from orc_keras.models import parts
from orc_keras.networks.kinds import name_of

BACKBONE = "backbone"  # the name of its layer in the member


@dataclasses.dataclass(frozen=True)
class Scaling:
    """What a backbone's authors did with pixels: `scale * pixel + offset`, by channel.

    Attributes:
        scale, offset: one number for each of red, green and blue.
        is_flipped: whether the backbone takes blue, green and red.
    """

    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    is_flipped: bool = False


def check(source):
    """Raises ValueError if there is no such backbone, as far as can be told without loading it."""
    library, _, name = source.partition(":")
    if library == "applications":
        _application(name)
    else:
        _keras_hub()


def build(source, images):
    """Returns a backbone with its weights and a new last layer; as `sources.build`.

    The backbone gets what it was trained on: normalisation is undone, a grey image is given to all
    three channels, and pixels are scaled as its authors did.
    """
    library, _, name = source.partition(":")
    height, width, channels = images.shape
    if channels not in (1, 3):
        raise ValueError(f"{source} takes images of 3 channels, or of 1, not of {channels}.")
    load = _of_applications if library == "applications" else _of_hub
    backbone, scaling = load(name, (height, width, 3))
    x = inputs = keras.Input(images.shape)
    if channels == 1:
        x = keras.layers.Concatenate(name="grey")([x, x, x])
    coloured = dataclasses.replace(images, shape=(height, width, 3))
    x = coloured.pixels(x, scaling.scale, scaling.offset)
    if scaling.is_flipped:
        x = keras.ops.flip(x, axis=-1)
    logits = parts.classifier(backbone(x), images.num_classes)
    return keras.Model(inputs, logits, name=name_of(source))


def checksum(network):
    """Returns the SHA-256 of the weights of the backbone in a member."""
    digest = hashlib.sha256()
    for weight in network.get_layer(BACKBONE).weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)))
    return digest.hexdigest()


# Keras Applications


def _application(name):
    """Returns the function of Keras Applications of that name."""
    functions = {n: f for n, f in vars(keras.applications).items() if inspect.isfunction(f)}
    if name not in functions:
        alike = difflib.get_close_matches(name, functions, n=1)
        hint = f"did you mean {alike[0]}? There are" if alike else "there are"
        raise ValueError(f"Keras Applications has no {name!r}; {hint} {', '.join(functions)}.")
    return functions[name]


def _of_applications(name, shape):
    function = _application(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # weights for 224 x 224 are those for other sizes too
            backbone = function(
                include_top=False, weights="imagenet", input_shape=shape, pooling="avg",
                name=BACKBONE,
            )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{name}: {' '.join(str(error).split())}") from error
    except Exception as error:  # what Keras raises if it cannot download
        url = re.search(r"https?://\S+(?=:)", str(error))
        if not url:
            raise
        folder = os.path.join(os.environ.get("KERAS_HOME", "~/.keras"), "models")
        raise ValueError(
            f"the weights of {name} cannot be downloaded; put the file {url[0]} into {folder}/."
        ) from error
    return backbone, scaling_of(function)


def scaling_of(function):
    """Returns the `Scaling` of an application, by what its `preprocess_input` does to pixels."""
    modules = [m for m in vars(keras.applications).values() if isinstance(m, types.ModuleType)]
    own = [m for m in modules if getattr(m, function.__name__, None) is function]
    preprocess = next((m.preprocess_input for m in own if hasattr(m, "preprocess_input")), None)
    if preprocess is None:  # MobileNetV3, which scales pixels itself
        return Scaling()
    pixels = np.stack([np.zeros(3), *(255 * np.eye(3))]).astype("float32")[:, None, None]
    offset, *of_channels = preprocess(pixels.copy())[:, 0, 0]
    matrix = (np.stack(of_channels) - offset) / 255  # from channels to the backbone's
    is_flipped = bool(matrix[0, 0] == 0)
    if is_flipped:
        matrix, offset = matrix[:, ::-1], offset[::-1]
    return Scaling(tuple(np.diag(matrix).tolist()), tuple(offset.tolist()), is_flipped)


# KerasHub


def _keras_hub():
    if importlib.util.find_spec("keras_hub") is None:
        raise ValueError("KerasHub is not installed; pip install keras-hub, or orc-keras[hub].")
    import keras_hub

    return keras_hub


def _of_hub(preset, shape):
    keras_hub = _keras_hub()
    try:
        network = keras_hub.models.Backbone.from_preset(preset)
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except Exception as error:  # of the hosts of presets, many kinds
        raise ValueError(
            f"{preset} cannot be loaded ({type(error).__name__}); it must be a preset of images, "
            "such as resnet_50_imagenet, which is downloaded from Kaggle or Hugging Face, or a "
            "folder that save_to_preset has written."
        ) from error
    inputs = keras.Input(shape)
    try:
        features = network(inputs)
    except ValueError as error:
        raise ValueError(f"{preset}: {' '.join(str(error).split())}") from error
    if not isinstance(features, keras.KerasTensor) or len(features.shape) not in (3, 4):
        raise ValueError(f"{preset} has no feature map; take the backbone of a classifier.")
    axes = tuple(range(1, len(features.shape) - 1))
    backbone = keras.Model(inputs, keras.ops.mean(features, axis=axes), name=BACKBONE)
    return backbone, Scaling(_three(converter.scale, 1.0), _three(converter.offset, 0.0))


def _three(given, default):
    """Returns a number for each channel, of one number, one for each, or None."""
    value = default if given is None else given
    return tuple(np.broadcast_to(np.asarray(value, float).ravel(), 3).tolist())
