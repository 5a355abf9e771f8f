"""Networks from the file of a group, as they are evaluated and deployed."""

import keras


def load_members(path):
    """Returns the members of the group in a file, by name, computing in float32.

    Loaded, because a network that was trained on several devices has a copy on each. In float32,
    which their weights are anyway, because small devices cannot compute in mixed precision.

    Args:
        path: of the file.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # of networks; their layers bring their own
    try:
        group = keras.saving.load_model(path, compile=False)
        return {name: _in_float32(network) for name, network in group.members.items()}
    finally:
        keras.config.set_dtype_policy(policy)


def _in_float32(network):
    def layer_in_float32(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "float32"})

    if all(layer.compute_dtype == "float32" for layer in network._flatten_layers()):
        return network
    copy = keras.models.clone_model(network, clone_function=layer_in_float32)
    copy.set_weights(network.get_weights())
    return copy
