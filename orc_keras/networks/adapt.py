"""Makes a member of a group of a network that somebody else has built."""

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from orc_keras import models
from orc_keras.groups.members import check_member, image_shape, num_classes
from orc_keras.models import parts


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """The images that a member takes, and the number of their classes.

    Attributes:
        image_shape: height, width and channels.
        num_classes: C.
        mean, std: of normalisation, with pixels scaled to 0..1; one number, or one per channel.
    """

    image_shape: tuple[int, int, int]
    num_classes: int
    mean: float | Sequence[float] = 0.0
    std: float | Sequence[float] = 1.0

    def to_pixels(self, images: Any) -> Any:
        """Returns pixels from 0 to 255 of normalised images, a Keras tensor."""
        pixels = 255.0 * np.ones(self.image_shape[-1])
        scale, offset = pixels * np.asarray(self.std), pixels * np.asarray(self.mean)
        return keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="pixels")(images)


def adapt(
    network: keras.Model, name: str, spec: InputSpec, takes_pixels: bool = False
) -> keras.Model:
    """Returns a network as a member: of that name, from normalised images to logits.

    Args:
        network: a `keras.Model`, whose weights become the member's.
        name: the member's.
        spec: what the member takes and answers.
        takes_pixels: whether the network takes pixels from 0 to 255.

    Raises:
        ValueError: if it does not take such images, has another number of classes, or cannot be
            a member, as `check_member` says.
    """
    _check_fits(network, spec)
    _remove_regularizers(network, name)
    member = _connect(_remove_softmax(network, name), name, spec, takes_pixels)
    check_member(member)
    return member


def replace_classifier(network: keras.Model, num_classes: int) -> keras.Model:
    """Returns a network whose last, fully connected layer is a new one, for other classes.

    Raises:
        ValueError: if its last layer, but for a softmax, is no fully connected one.
    """
    *_, last = models.leaf_layers(network)
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        *_, last, _ = models.leaf_layers(network)
    if not isinstance(last, keras.layers.Dense) or not hasattr(network, "inputs"):
        raise ValueError("its last layer is not a fully connected one, which could be replaced.")
    return keras.Model(network.inputs[0], parts.classifier(last.input, num_classes))


def _check_fits(network, spec):
    shape, classes = image_shape(network), num_classes(network)
    if any(size not in (None, own) for size, own in zip(shape, spec.image_shape)):
        raise ValueError(f"it takes images of shape {shape}, and these have {spec.image_shape}.")
    if classes != spec.num_classes:
        raise ValueError(f"it has {classes} classes, and the images {spec.num_classes}.")


def _connect(network, name, spec, takes_pixels):
    """Returns a functional model of that name, which takes normalised images of one size."""
    same_shape = getattr(network, "input_shape", None) == (None, *spec.image_shape)
    if same_shape and not takes_pixels:
        return keras.Model(network.inputs[0], network.outputs[0], name=name)
    inputs = keras.Input(spec.image_shape)
    try:
        logits = network(spec.to_pixels(inputs) if takes_pixels else inputs)
    except ValueError as error:
        raise ValueError(f"it does not take images of shape {spec.image_shape}: {error}") from error
    return keras.Model(inputs, logits, name=name)


def _remove_regularizers(network, name):
    """Removes regularizers: a group's members have none, because the optimizer decays weights."""
    found = False
    for layer in models.leaf_layers(network):
        for attribute, value in list(vars(layer).items()):
            if attribute.endswith("_regularizer") and value:
                setattr(layer, attribute, None)
                found = True
    for weight in network.trainable_weights:
        weight.regularizer = None
    if found:
        warnings.warn(f"{name}: its regularizers are removed.", stacklevel=3)


def _remove_softmax(network, name):
    """Returns the network without a softmax at its end; its layers are the same.

    Only of a functional or sequential one, where the last layer is the last one computed.
    """
    last: Any = network.layers[-1] if network.layers and hasattr(network, "inputs") else None
    is_layer = isinstance(last, keras.layers.Softmax)
    if not is_layer and getattr(last, "activation", None) is not keras.activations.softmax:
        return network
    warnings.warn(
        f"{name}: the softmax at its end is removed, because members return logits.", stacklevel=3
    )
    if is_layer or isinstance(last, keras.layers.Activation):
        return keras.Model(network.inputs[0], last.input)
    last.activation = keras.activations.linear
    return network
