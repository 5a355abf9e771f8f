"""Makes a member of a group of a network that somebody else has built."""

import warnings
from collections.abc import Sequence
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

    It keeps its weights. `preprocess` makes the network's input of normalised images.

    Raises:
        ValueError: if it does not take such images, or has another number of classes.
    """
    check_fits(network, image_shape, num_classes)
    _remove_regularizers(network, name)
    network = _remove_softmax(network, name)
    if hasattr(network, "inputs"):  # functional or sequential
        network = _of_size(network, name, image_shape)
        if preprocess is None:
            return network
    images = keras.Input(image_shape)
    logits = network(preprocess(images) if preprocess else images)
    return keras.Model(images, logits, name=name)


def _of_size(network, name, image_shape):
    """Returns a network, and if it takes images of any size, a copy for one: it has all shapes."""
    network = keras.Model(network.inputs[0], network.outputs[0], name=name)
    if network.input_shape == (None, *image_shape):
        return network
    copy = keras.models.clone_model(network, keras.Input(image_shape), recursive=True)
    copy.set_weights(network.get_weights())
    return copy


def replace_classifier(network: keras.Model, num_classes: int) -> keras.Model:
    """Returns a network whose last, fully connected layer is a new one, for other classes.

    Raises:
        ValueError: if its last layer, but for a softmax, is no fully connected one of its own.
    """
    *others, last = models.leaf_layers(network)
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        last = others[-1]
    is_own = hasattr(network, "inputs") and last in network.layers
    if not isinstance(last, keras.layers.Dense) or not is_own:
        raise ValueError(
            "its last layer is not a fully connected one, which could be replaced, or lies in "
            "another network inside it."
        )
    return keras.Model(network.inputs[0], parts.classifier(last.input, num_classes))


def check_fits(network: Any, image_shape: Sequence[int], num_classes: int) -> None:
    """Raises ValueError unless a network takes such images, and has as many classes."""
    if not isinstance(network, keras.Model):
        raise ValueError(f"it must be a keras.Model, not {type(network).__name__}.")
    shape, classes = members.image_shape(network), members.num_classes(network)
    if any(size not in (None, own) for size, own in zip(shape, image_shape)):
        raise ValueError(f"it takes images of shape {shape}, and these have {tuple(image_shape)}.")
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
    """Returns the network without a softmax at its end; its layers are the same."""
    last = _last_operation(network)
    is_activation = getattr(last, "activation", None) is keras.activations.softmax
    if not is_activation and type(last).__name__ != "Softmax":  # the layer, or keras.ops.softmax
        return network
    warnings.warn(
        f"{name}: the softmax at its end is removed, because members return logits.", stacklevel=3
    )
    if is_activation:
        last.activation = keras.activations.linear
        return network

    def reuse(operation):
        return keras.layers.Identity() if operation is last else operation

    return keras.models.clone_model(network, clone_function=reuse, recursive=True)


def _last_operation(network) -> Any:
    """Returns the operation that computes a network's output, in a nested network too.

    None for a network with a `call` of its own, whose layers have no order.
    """
    if isinstance(network, keras.Sequential):
        operations = network.layers
    else:
        operations = getattr(network, "operations", ())  # of a functional network
    *_, last = [None, *operations]
    return _last_operation(last) if isinstance(last, keras.Model) else last
