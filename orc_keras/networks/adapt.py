"""Makes a member of a group of a network that somebody else has built."""

import warnings
from typing import Any

import keras

from orc_keras import models
from orc_keras.groups import members
from orc_keras.models import parts


def adapt(
    network: Any,
    name: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
    preprocess: keras.Layer | None = None,
) -> keras.Model:
    """Returns a network as a member: of that name, from normalised images to logits.

    Its weights become the member's. `preprocess` makes the network's input of normalised images.

    Raises:
        ValueError: if it does not take such images, has another number of classes, or cannot be
            a member, as `check_member` says.
    """
    _check_fits(network, image_shape, num_classes)
    _remove_regularizers(network, name)
    network = _remove_softmax(network, name)
    if preprocess is None and getattr(network, "input_shape", None) == (None, *image_shape):
        member = keras.Model(network.inputs[0], network.outputs[0], name=name)
    else:
        images = keras.Input(image_shape)
        logits = network(preprocess(images) if preprocess else images)
        member = keras.Model(images, logits, name=name)
    members.check_member(member)
    return member


def replace_classifier(network: keras.Model, num_classes: int) -> keras.Model:
    """Returns a network whose last, fully connected layer is a new one, for other classes.

    Raises:
        ValueError: if its last layer, but for a softmax, is no fully connected one.
    """
    *others, last = models.leaf_layers(network)
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        last = others[-1]
    if not isinstance(last, keras.layers.Dense) or not hasattr(network, "inputs"):
        raise ValueError("its last layer is not a fully connected one, which could be replaced.")
    return keras.Model(network.inputs[0], parts.classifier(last.input, num_classes))


def _check_fits(network, image_shape, num_classes):
    if not isinstance(network, keras.Model):
        raise ValueError(f"it must be a keras.Model, not {type(network).__name__}.")
    shape, classes = members.image_shape(network), members.num_classes(network)
    if any(size not in (None, own) for size, own in zip(shape, image_shape)):
        raise ValueError(f"it takes images of shape {shape}, and these have {image_shape}.")
    if classes != num_classes:
        raise ValueError(f"it has {classes} classes, and the images {num_classes}.")


def _remove_regularizers(network, name):
    """Removes regularizers: a group's members have none, because the optimizer decays weights."""
    regularizers = [
        (layer, attribute)
        for layer in models.leaf_layers(network)
        for attribute, value in vars(layer).items()
        if attribute.endswith("_regularizer") and value
    ]
    for layer, attribute in regularizers:
        setattr(layer, attribute, None)
    for weight in network.trainable_weights:
        weight.regularizer = None
    if regularizers:
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
