"""Networks from `.keras` files."""

import zipfile
from pathlib import Path

import keras

from orc_keras import models
from orc_keras.groups.base_model import GroupModel
from orc_keras.models import parts
from orc_keras.networks.kinds import FEATURES, RAW, name_of, path_of
from orc_keras.networks.member import as_member


def check(path):
    """Raises ValueError if there is no such file, or it is no `.keras` file."""
    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is damaged, or not a file that Keras 3 has saved.")


def build(source, images):
    """Returns the network in a file as a member; arguments and errors as `sources.build`."""
    path = path_of(source)
    network = load(path)
    if isinstance(network, GroupModel):
        raise ValueError(f"{path} holds a group, not a network; export one of its members first.")
    try:
        if source.startswith(FEATURES):
            network = _with_new_head(network, images.num_classes)
        return as_member(network, name_of(source), images, raw=source.startswith(RAW))
    except ValueError as error:
        raise ValueError(f"{path} does not suit: {error}") from error


def _with_new_head(network, num_classes):
    """Returns a network whose last, fully connected layer is a new one."""
    *_, last = models.leaf_layers(network)
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        *_, last, _ = models.leaf_layers(network)
    if not isinstance(last, keras.layers.Dense) or not hasattr(network, "inputs"):
        raise ValueError("its last layer is not a fully connected one, which could be replaced.")
    return keras.Model(network.inputs[0], parts.classifier(last.input, num_classes))


def load(path):
    """Returns the model in a file, loaded in Keras's safe mode, which runs no code from it.

    Raises:
        ValueError: if it is damaged, or holds code.
    """
    check(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for damaged files
        raise ValueError(f"{path} cannot be loaded: {why(error)}.") from error


def why(error):
    """Returns the reason why a file could not be loaded, for the end of a sentence."""
    message = str(error)
    if "safe_mode" in message or "unsafe" in message:
        return "it holds code, which Keras's safe mode does not run"
    if "Could not locate" in message or "not registered" in message:
        return "it has a layer that is not Keras's own, and whose code is not at hand"
    return "it is damaged"
