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
            for at least two classes; if it has losses of its own; if its weights, or its logits for
            images of noise, are not finite; if it takes whole numbers, or returns them or
            probabilities.
    """
    if not isinstance(network, keras.Model):
        raise ValueError(f"A member must be a keras.Model, not {type(network).__name__}.")
    num_classes(network)  # raises if it has none
    _check_takes_floats(network)
    if network.losses:
        raise ValueError(
            f"{network.name} has losses of its own (regularizers or add_loss), which a group does "
            "not support; orc_keras.optimizers.L2SGD has weight decay."
        )
    check_weights(network)
    _check_logits(network)


def _check_takes_floats(network):
    """Refuses an input of whole numbers, to which Keras would cut normalised images off."""
    for each in getattr(network, "inputs", ()):  # of a functional or sequential network
        if not keras.backend.is_float_dtype(each.dtype):
            raise ValueError(
                f"{network.name} takes numbers of type {each.dtype}, and a member normalised "
                "images; let its input be of float32, or, in a file, put raw: before the path."
            )


def check_weights(network: keras.Model) -> None:
    """Raises ValueError if a weight of a network is not finite."""
    for weight in network.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ValueError(f"{network.name} has NaN or infinite numbers in {weight.path}.")


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
    """Refuses a network whose outputs for a mini-batch of noise are no logits."""
    rng = np.random.default_rng(0)
    shape = [size or 64 for size in image_shape(network)]
    # Values of normalised images. To a network that undoes that, they are pixels, hardly one < 0.
    noise = rng.uniform(-0.4, 1.6, (4, *shape)).astype("float32")
    outputs = network(noise, training=False)
    dtype = keras.backend.standardize_dtype(outputs.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"{network.name} returns numbers of type {dtype}; a member must return floating-point "
            "logits, so leave out what rounds, compares or counts at its end."
        )
    # In float16, a deep network whose BatchNorms have not learnt yet may overflow.
    is_float16 = any(layer.compute_dtype == "float16" for layer in models.leaf_layers(network))
    if not is_float16 and not np.isfinite(_to_numpy(outputs)).all():
        raise ValueError(
            f"{network.name} returns NaN or infinite logits for images of noise; a member must "
            "return a finite logit of each class, so look for a logarithm, a root or a division."
        )
    if _returns_probabilities(network, noise, outputs, rng):
        raise ValueError(
            f"{network.name} returns probabilities; a member must return logits, so leave out the "
            "softmax or sigmoid at its end."
        )


def _returns_probabilities(network, noise, outputs, rng):
    """Whether outputs lie in 0..1 whatever the weights: logits do so by chance only."""

    def redrawn(weight):
        values = np.asarray(weight)
        deviation = np.sqrt(np.mean(np.square(values, dtype="float64"))) or 1.0
        return rng.normal(scale=deviation, size=values.shape).astype(values.dtype)

    # Kernels and biases, but not what BatchNorm has.
    weights = [w for w in network.weights if keras.backend.is_float_dtype(w.dtype)]
    weights = [w for w in weights if len(w.shape) > 1 or w.name == "bias"]
    for _ in range(10):  # logits of two classes have the same sign in half of the draws
        values = _to_numpy(outputs)
        values = values[~np.isnan(values)]
        if not values.any() or values.min() < 0 or values.max() > 1.001:
            return False  # zeros only are the logits of a last layer that starts with zeros
        with keras.StatelessScope([(weight, redrawn(weight)) for weight in weights]):
            outputs = network(noise, training=False)
    return True


def _to_numpy(outputs):
    return np.asarray(keras.ops.cast(outputs, "float32"))


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
