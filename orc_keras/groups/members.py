"""Checks and names the networks that become members of a group."""

import itertools
import warnings
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from orc_keras import models  # also registers our BatchNormalization, which a group's file may hold


def as_list(argument: str, networks: Any) -> list[keras.Model]:
    """Returns a collection of networks as a list.

    Raises:
        ValueError: if it is not a collection, but a single network, for example.
    """
    if isinstance(networks, keras.Model) or not hasattr(networks, "__iter__"):
        raise ValueError(f"{argument} must be a list of networks, not {type(networks).__name__}.")
    return list(networks)


def name_members(networks: list[keras.Model]) -> dict[str, keras.Model]:
    """Returns the networks by name, with repeated names numbered."""
    return dict(zip(numbered([network.name for network in networks]), networks))


def numbered(names: Iterable[str]) -> list[str]:
    """Returns the names, repeated ones numbered: `a`, `a_2`, `a_3`."""
    unique = []
    for name in names:
        candidates = itertools.chain([name], (f"{name}_{n}" for n in itertools.count(2)))
        unique.append(next(candidate for candidate in candidates if candidate not in unique))
    return unique


def check_members(networks: list[keras.Model]) -> None:
    """Refuses networks that cannot form a group.

    Args:
        networks: the pivot first.

    Raises:
        ValueError: if one of them cannot be a member, as `check_member` says; if two share weights
            or differ in images or classes; if there is no student.
    """
    for network in networks:
        check_member(network)
    for network, other in itertools.combinations(networks, 2):
        _check_separate(network, other)
    if len(networks) < 2:
        raise ValueError("A group needs at least one student.")
    first, *others = networks
    for other in others:
        _check_same("images of shape", first, image_shape(first), other, image_shape(other))
        _check_same("numbers of classes", first, num_classes(first), other, num_classes(other))
    _compare_sizes(first, others)


def check_member(network: keras.Model) -> None:
    """Refuses a network that cannot be a member of any group.

    Raises:
        ValueError: if it is not a built `keras.Model` from one tensor of images to one of logits
            for at least two classes; if it has losses of its own, or weights that are not finite.
    """
    if not isinstance(network, keras.Model):
        raise ValueError(f"A member must be a keras.Model, not {type(network).__name__}.")
    num_classes(network)  # raises if it has none
    if network.losses:
        raise ValueError(
            f"{network.name} has losses of its own (regularizers or add_loss), which a group does "
            "not support; orc_keras.optimizers.L2SGD has weight decay."
        )
    for weight in network.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ValueError(f"{network.name} has NaN or infinite numbers in {weight.path}.")
    _check_logits(network)


def refuse_synchronized_batch_norm(members: dict[str, keras.Model]) -> None:
    """Refuses Keras's own synchronised BatchNorms, which fail where roles change.

    Raises:
        ValueError: if there is one; the message names it.
    """
    for name, network in members.items():
        for layer in models.leaf_layers(network):
            stock = type(layer) is keras.layers.BatchNormalization
            if stock and layer.synchronized:
                raise ValueError(
                    f"{name} has {layer.name}, a BatchNormalization that Keras cannot synchronise "
                    "in a group; use models.normalization.BatchNormalization(synchronized=True)."
                )


def image_shape(network: keras.Model) -> tuple[int | None, ...]:
    """Returns the shape of a network's input image, `(height, width, channels)`.

    Raises:
        ValueError: if it is not built, or takes anything else.
    """
    if not network.built:
        raise ValueError(
            f"{network.name} is not built; give its first layer an input shape, or call it on a "
            "batch of images."
        )
    if hasattr(network, "input_shape"):  # functional or sequential
        shape: Any = network.input_shape
    else:
        config: Any = network.get_build_config()
        shape = (config or {}).get("input_shape") or ()
    shape = tuple(shape)  # a list in a loaded network
    if len(shape) != 4 or not all(isinstance(size, int | None) for size in shape):
        raise ValueError(
            f"{network.name} must take one tensor of images, [batch, height, width, channels], "
            f"but its input has shape {shape}."
        )
    return shape[1:]


def num_classes(network: keras.Model) -> int:
    """Returns the number of logits of a network.

    Raises:
        ValueError: as `image_shape`; if it returns anything else than logits of several classes.
    """
    logits = network.compute_output_spec(keras.KerasTensor((None, *image_shape(network))))
    if not isinstance(logits, keras.KerasTensor) or len(logits.shape) != 2:
        raise ValueError(f"{network.name} must return one tensor of logits, [batch, classes].")
    if logits.shape[-1] is None or logits.shape[-1] < 2:
        raise ValueError(
            f"{network.name} must return a logit for each of at least two classes, but its logits "
            f"have shape {logits.shape}."
        )
    return logits.shape[-1]


def _check_separate(network, other):
    weights = set(map(id, network.weights))
    if network is other or not weights.isdisjoint(map(id, other.weights)):
        raise ValueError(
            f"{network.name} and {other.name} share weights; each member must be a network of its "
            "own."
        )


def _check_logits(network):
    """Refuses a network that returns probabilities, found by a forward pass on noise.

    Outputs from 0 to 1 that sum to 1 for each of several images are no logits. A sigmoid's do not
    sum to 1, so it is found by its layer.
    """
    *_, last = [None, *models.leaf_layers(network)]
    *_, last_operation = [None, *getattr(network, "operations", ())]  # of a functional network
    is_sigmoid = getattr(last, "activation", None) is keras.activations.sigmoid
    is_sigmoid = is_sigmoid or type(last_operation).__name__ == "Sigmoid"
    noise = np.random.default_rng(0).normal(size=(4, *(n or 64 for n in image_shape(network))))
    outputs = network(noise.astype("float32"), training=False)
    outputs = np.asarray(keras.ops.cast(outputs, "float32"))
    add_up = np.allclose(outputs.sum(axis=-1), 1, atol=1e-2)
    if is_sigmoid or (add_up and np.all((outputs >= 0) & (outputs <= 1))):
        hint = f" (see its last layer, {last.name})" if last else ""
        raise ValueError(
            f"{network.name} returns probabilities; a member must return logits{hint}."
        )


def _compare_sizes(pivot, students):
    """Warns if the pivot, meant to be the largest, has fewer parameters than a student."""
    largest = max(students, key=keras.Model.count_params)
    if pivot.count_params() < largest.count_params():
        warnings.warn(
            f"The pivot {pivot.name} ({pivot.count_params():,} parameters) is smaller than the "
            f"student {largest.name} ({largest.count_params():,}); it is meant to be the largest "
            "member.",
            stacklevel=2,
        )


def _check_same(what, first, of_first, other, of_other):
    if of_first != of_other:
        raise ValueError(
            f"All members need the same {what}, but {first.name} has {of_first} and "
            f"{other.name} {of_other}."
        )
