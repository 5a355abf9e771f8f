"""Networks from the file of a group, as they are evaluated and deployed."""

import keras


def load_members(path):
    """Returns the members of the group in a file, by name, computing in float32.

    Loaded, because a network that was trained on several devices has a copy on each. In float32,
    which their weights are anyway, because small devices cannot compute in mixed precision.

    Args:
        path: of the file.
    """
    group = keras.saving.load_model(path, compile=False)
    return {name: _in_float32(network) for name, network in group.members.items()}


def _in_float32(network):
    def layer_in_float32(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "float32"})

    if network.compute_dtype == "float32" and network.dtype_policy.name == "float32":
        return network
    copy = keras.models.clone_model(network, clone_function=layer_in_float32)
    copy.set_weights(network.get_weights())
    return copy
