"""What a network must be to become a member of a group, and what it is called there."""

import keras


def name_members(networks):
    """Returns the networks by name, each of its own."""
    return dict(zip(numbered([network.name for network in networks]), networks))


def numbered(names):
    """Returns names; one that is taken gets a number: `a`, `a_2`, `a_3`."""
    given = []
    for name in names:
        own, copies = name, 1
        while own in given:
            copies += 1
            own = f"{name}_{copies}"
        given.append(own)
    return given


def check_members(networks):
    """Refuses networks that cannot learn from each other.

    Raises:
        ValueError: as in `NetworkGroup`.
    """
    for position, network in enumerate(networks):
        _check_network(network)
        weights = set(map(id, network.weights))
        for other in networks[:position]:
            if network is other or not weights.isdisjoint(map(id, other.weights)):
                raise ValueError(
                    f"{other.name} and {network.name} share weights; each member must be a "
                    "network of its own."
                )
    if len(networks) < 2:
        raise ValueError("A group needs at least one student.")
    first, *others = networks
    for other in others:
        _check_same("images of shape", first, image_shape(first), other, image_shape(other))
        _check_same("numbers of classes", first, num_classes(first), other, num_classes(other))


def check_synchronised(members):
    """Refuses BatchNorms that Keras synchronises itself, which fails where roles change.

    Raises:
        ValueError: that names such a layer.
    """
    for name, network in members.items():
        for layer in network._flatten_layers():
            stock = type(layer) is keras.layers.BatchNormalization
            if stock and layer.synchronized:
                raise ValueError(
                    f"{name} has {layer.name}, a BatchNormalization that Keras cannot synchronise "
                    "in a group; use models.normalization.BatchNormalization(synchronized=True)."
                )


def image_shape(network):
    """Returns the shape of one image, `(height, width, channels)`, that a network takes."""
    if hasattr(network, "input_shape"):  # functional or sequential
        shape = network.input_shape
    else:
        shape = (network.get_build_config() or {}).get("input_shape") or ()
    shape = tuple(shape)  # that of a network which was loaded is a list
    if len(shape) != 4 or not all(isinstance(size, int | None) for size in shape):
        raise ValueError(
            f"{network.name} must take one tensor of images, [batch, height, width, channels], "
            f"but its input has shape {shape}."
        )
    return shape[1:]


def num_classes(network):
    """Returns the number of logits of a network."""
    logits = network.compute_output_spec(keras.KerasTensor((None, *image_shape(network))))
    if not isinstance(logits, keras.KerasTensor) or len(logits.shape) != 2:
        raise ValueError(f"{network.name} must return one tensor of logits, [batch, classes].")
    return logits.shape[-1]


def _check_network(network):
    if not isinstance(network, keras.Model):
        raise ValueError(f"A member must be a keras.Model, not {type(network).__name__}.")
    if not network.built:
        raise ValueError(f"{network.name} is not built; call it on a batch of images first.")
    last = network.layers[-1] if network.layers else None
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) in (
        keras.activations.softmax,
        keras.activations.sigmoid,
    ):
        raise ValueError(
            f"{network.name} ends in {last.name}, which returns probabilities; a member must "
            "return logits."
        )


def _check_same(what, first, of_first, other, of_other):
    if of_first != of_other:
        raise ValueError(
            f"All members need the same {what}, but {first.name} has {of_first} and "
            f"{other.name} {of_other}."
        )
