"""What makes a member of a group of a network that somebody else has built."""

import dataclasses
import warnings

import keras
import numpy as np

from orc_keras import models
from orc_keras.groups import members


@dataclasses.dataclass(frozen=True)
class Images:
    """What a member has to take and to answer.

    Attributes:
        shape: height, width and channels.
        num_classes: C.
        mean, std: of normalisation, with pixels scaled to 0..1.
    """

    shape: tuple[int, int, int]
    num_classes: int
    mean: float | tuple[float, ...] = 0.0
    std: float | tuple[float, ...] = 1.0

    def pixels(self, inputs, scale=1.0, offset=0.0):
        """Returns `scale * pixel + offset` from normalised images; pixels are from 0 to 255.

        Args:
            inputs: normalised images, a Keras tensor.
            scale, offset: numbers, or one for each channel.
        """
        of_channel = np.ones(self.shape[-1])
        factor = 255.0 * np.asarray(scale) * np.asarray(self.std) * of_channel
        constant = 255.0 * np.asarray(scale) * np.asarray(self.mean) + np.asarray(offset)
        constant = constant * of_channel
        layer = keras.layers.Rescaling(factor.tolist(), constant.tolist(), name="pixels")
        return layer(inputs)


def as_member(network, name, images, raw=False):
    """Returns a network as a member: of that name, from normalised images to logits.

    Args:
        network: a built `keras.Model`, whose weights become the member's.
        name: the member's.
        images: `Images`.
        raw: whether it takes pixels from 0 to 255.

    Raises:
        ValueError: if it does not take such images, or has another number of classes, several
            outputs, or weights that are no numbers.
    """
    if not network.built:
        raise ValueError("it is not built; give its first layer an input shape.")
    _check_answers(network, images)
    _check_weights(network)
    _without_regularizers(network, name)
    inputs = keras.Input(images.shape)
    taken = images.pixels(inputs) if raw else inputs
    logits_network = _without_softmax(network, name)
    if not raw and getattr(logits_network, "input_shape", None) == (None, *images.shape):
        return keras.Model(logits_network.inputs[0], logits_network.outputs[0], name=name)
    try:
        return keras.Model(inputs, logits_network(taken), name=name)
    except ValueError as error:
        raise ValueError(
            f"it does not take images of shape {images.shape}: {str(error).splitlines()[0]}"
        ) from error


def _check_answers(network, images):
    shape = members.image_shape(network)
    if any(size not in (None, own) for size, own in zip(shape, images.shape)):
        raise ValueError(f"it takes images of shape {shape}, and these have {images.shape}.")
    classes = members.num_classes(network)
    if classes != images.num_classes:
        raise ValueError(f"it has {classes} classes, and the images {images.num_classes}.")


def _check_weights(network):
    for weight in network.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(f"it has NaN or infinite numbers in {weight.path}.")


def _without_regularizers(network, name):
    """Takes off regularizers: a group's members have none, because the optimizer decays weights."""
    found = False
    for layer in models.leaf_layers(network):
        for attribute, value in list(vars(layer).items()):
            if attribute.endswith("_regularizer") and value:
                setattr(layer, attribute, None)
                found = True
    for weight in network.trainable_weights:
        weight.regularizer = None
    if found:
        warnings.warn(f"{name}: its regularizers are taken off.", stacklevel=3)


def _without_softmax(network, name):
    """Returns the network without a softmax at its end; its layers are the same.

    Only of a functional or sequential one, where the last layer is the last one computed.
    """
    last = network.layers[-1] if network.layers and hasattr(network, "inputs") else None
    if isinstance(last, keras.layers.Softmax) or _is_softmax(last):
        warnings.warn(
            f"{name}: the softmax at its end is taken off, because members return logits.",
            stacklevel=3,
        )
        if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
            return keras.Model(network.inputs[0], last.input)
        last.activation = keras.activations.linear
    return network


def _is_softmax(layer):
    return getattr(layer, "activation", None) is keras.activations.softmax
