"""Loads the members of a run as they are evaluated and deployed: Keras's own layers, in float32."""

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import keras
import tensorflow as tf

import orc_keras.groups  # noqa: F401  (registers the classes in a group's file)
from orc_keras import models, run_files
from orc_keras.groups.base_model import GroupModel
from orc_keras.groups.members import check_member
from orc_keras.models.normalization import BatchNormalization
from orc_keras.networks import explain_errors, load_model
from orc_keras.networks.adapt import check_fits
from orc_keras.runs import RunDirectory


def load_group_members(path: Path) -> dict[str, keras.Model]:
    """Returns the members of the group in a file, by name, as `to_keras_layers` makes them.

    From a file, because a network trained on several devices has a copy on each.
    """
    with _float32(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The pivot .* is smaller")  # said as the run began
        group = load_model(path, GroupModel)
        return {name: to_keras_layers(network) for name, network in group.members.items()}


def copy_member(network: keras.Model) -> keras.Model:
    """Returns a copy of a network that may be on several devices, as `to_keras_layers` makes it."""
    with _float32(), tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "member.keras"
        network.save(path)
        return to_keras_layers(load_model(path))


@contextlib.contextmanager
def _float32() -> Iterator[None]:
    """A context in which networks, but not their layers, are made in float32."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def load_members(run: RunDirectory) -> dict[str, keras.Model]:
    """Returns the networks of a finished run, by name.

    Layers of classes of the user's own must be registered before: nothing is imported that a run
    names.

    Raises:
        ValueError: if their file is damaged, or does not hold what the summary says.
    """
    path = run.checked(run_files.GROUP)
    return _checked(run, path, load_group_members(path), [*run.summary["members"]])


def _checked(
    run: RunDirectory, path: Path, networks: dict[str, keras.Model], names: list[str]
) -> dict[str, keras.Model]:
    """Returns networks, which may be a stranger's, if they are members of these names of a run."""
    if [*networks] != names:
        raise ValueError(f"{path} holds {', '.join(networks)}, and the run {', '.join(names)}.")
    data = run.summary["data"]
    with explain_errors(str(path)):
        for network in networks.values():
            check_fits(network, data["image_shape"], len(data["class_names"]))
            check_member(network)
    return networks


def load_member(run: RunDirectory, member: str) -> keras.Model:
    """Returns one of `load_members`; the student also of a run without its checkpoints.

    Raises:
        ValueError: if there is no such member, or its file is missing or damaged.
    """
    members = list(run.summary["members"])
    if member not in members:
        raise ValueError(f"--member={member} is not in the run; possible are {', '.join(members)}.")
    if member == members[-1] and not run.has(run_files.GROUP):
        path = run.checked(f"{run_files.STUDENT}.keras")
        return _checked(run, path, {member: load_model(path)}, [member])[member]
    return load_members(run)[member]


def logits_function(networks: Mapping[str, keras.Model]) -> Callable:
    """Returns a function from normalised images to the logits of several networks, by name."""
    shape = next(iter(networks.values())).input_shape[1:]

    # One function for all networks: TensorFlow warns of retracing if there are many.
    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32)])
    def logits(images):
        return {name: network(images, training=False) for name, network in networks.items()}

    return logits


def to_keras_layers(network: keras.Model) -> keras.Model:
    """Returns a network of Keras's own layers in float32; it loads without this project.

    Float32 is the type of the weights in any case, and small devices have no mixed precision. A
    network that consists of such layers is returned itself.
    """

    def convert(operation):
        if not isinstance(operation, keras.Layer):
            return type(operation).from_config(operation.get_config())
        ours = isinstance(operation, BatchNormalization)
        kind = keras.layers.BatchNormalization if ours else type(operation)
        return kind.from_config(operation.get_config() | {"dtype": "float32"})

    layers = [layer for layer in models.leaf_layers(network) if isinstance(layer, keras.Layer)]
    has_ours = any(isinstance(layer, BatchNormalization) for layer in layers)
    if not has_ours and {layer.compute_dtype for layer in layers} <= {"float32"}:
        return network
    copy = keras.models.clone_model(network, clone_function=convert, recursive=True)
    copy.set_weights(network.get_weights())
    return copy
