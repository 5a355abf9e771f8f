"""Loads the networks of a group's file, in the form in which they are evaluated and deployed."""

import warnings

import keras
import tensorflow as tf

from orc_keras import models
from orc_keras.groups import methods  # noqa: F401 (registers the classes in a group's file)
from orc_keras.models.normalization import BatchNormalization
from orc_keras.networks import code, files
from orc_keras.runs import checksums, names


def load_members(path):
    """Returns the members of the group in a file, by name, with stock layers in float32.

    From a file, because a network trained on several devices has a copy on each. Stock layers, so
    that exported files load without this project. Float32, the type of the weights in any case,
    because small devices cannot compute in mixed precision.

    Args:
        path: of the file.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # of networks; layers keep their own
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The pivot .* is smaller")  # said as the run began
            group = keras.saving.load_model(path, compile=False)
        return {name: as_stock_layers(network) for name, network in group.members.items()}
    finally:
        keras.config.set_dtype_policy(policy)


def members_of(record):
    """Returns the networks at the end of a run, by name; as `load_members`.

    Args:
        record: the `RunRecord` of a finished run.

    Raises:
        ValueError: if their file is damaged.
    """
    path = checksums.check(record.path, names.GROUP)
    code.import_modules((record.settings.pivot, *record.settings.students))
    try:
        return load_members(path)
    except Exception as error:  # Keras raises many kinds for damaged files
        raise ValueError(f"{path} cannot be loaded: {files.why(error)}.") from error


def member_of(record, member):
    """Returns one of `members_of`; ValueError also if there is no such member."""
    if member not in record.summary["members"]:
        possible = ", ".join(record.summary["members"])
        raise ValueError(f"--member={member} is not in the run; possible are {possible}.")
    return members_of(record)[member]


def logits_of(networks):
    """Returns a function from normalised images to logits, for networks by name."""
    shape = next(iter(networks.values())).input_shape[1:]

    # One function for all networks: TensorFlow warns of retracing if there are many.
    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32)])
    def logits(images):
        return {name: network(images, training=False) for name, network in networks.items()}

    return logits


def as_stock_layers(network):
    """Returns a network of Keras's own layers in float32, which loads without this project.

    Args:
        network: a `keras.Model`; if it consists of such layers, it is returned itself.
    """

    def as_stock(operation):
        ours = isinstance(operation, BatchNormalization)
        kind = keras.layers.BatchNormalization if ours else type(operation)
        is_layer = isinstance(operation, keras.Layer)
        return kind.from_config(operation.get_config() | ({"dtype": "float32"} if is_layer else {}))

    def is_stock(layer):
        return layer.compute_dtype == "float32" and type(layer) is not BatchNormalization

    layers = (layer for layer in models.leaf_layers(network) if isinstance(layer, keras.Layer))
    if all(map(is_stock, layers)):
        return network
    copy = keras.models.clone_model(network, clone_function=as_stock, recursive=True)
    copy.set_weights(network.get_weights())
    return copy
