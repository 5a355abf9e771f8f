"""Kinds of sources, told from their text; files and functions that networks come from."""

import contextlib
import difflib
import importlib
import inspect
import re
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import keras

from orc_keras.files import sha256
from orc_keras.groups.base_model import GroupModel

RAW = "raw:"  # before a file: the network takes pixels from 0 to 255
FEATURES = "features:"  # before a file: the network gets a new last layer
PRETRAINED = ("applications", "hub")


def kind_of(source: str) -> Literal["name", "file", "features", "code", "pretrained"]:
    """Returns what a source is.

    Args:
        source: a text as for `networks.build`.

    Returns:
        "name", one in `models/`; "file"; "features", a file whose last layer is replaced;
        "pretrained", of Keras Applications or KerasHub; or "code".

    Example:

    >>> [kind_of(each) for each in ("resnet20", "raw:teacher.keras", "my_networks:tiny")]
    ['name', 'file', 'code']
    """
    if source.endswith(".keras") or source.startswith((RAW, FEATURES)):
        return "features" if source.startswith(FEATURES) else "file"
    prefix, colon, _ = source.partition(":")
    if colon:
        return "pretrained" if prefix in PRETRAINED else "code"
    return "name"


def name_of(source: str) -> str:
    """Returns the name that a network from a source gets.

    Example:

    >>> [name_of(each) for each in ("runs/a/teacher.keras", "applications:MobileNetV2")]
    ['teacher', 'mobilenetv2']
    """
    kind = kind_of(source)
    if kind == "name":
        return source
    if kind in ("file", "features"):
        name = Path(path_of(source)).stem
    elif kind == "code":
        name = source.rpartition(":")[2]
    else:
        name = Path(source.partition(":")[2]).name.lower()
    return re.sub(r"\W+", "_", name)


def path_of(source: str) -> str:
    """Returns the path in the source of a file."""
    return str(Path(source.removeprefix(RAW).removeprefix(FEATURES)).expanduser())


def checksum(source: str) -> str:
    """Returns the SHA-256 of a source's file, or of the module in which its function is."""
    path = path_of(source)
    if kind_of(source) == "code":
        path = inspect.getfile(importlib.import_module(source.partition(":")[0]))
    return sha256(path)


# Files


def check_file(path: str | Path) -> None:
    """Raises ValueError if there is no such file, or it is no `.keras` file."""
    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is damaged, or not a file that Keras 3 has saved.")


def load_model(path: str | Path) -> Any:
    """Returns the model in a file, loaded in Keras's safe mode, which runs no code from it.

    Raises:
        ValueError: if it is missing or damaged, holds code, or has layers of unknown classes.
    """
    check_file(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for damaged files
        raise ValueError(
            f"{path} cannot be loaded in Keras's safe mode, which runs no code from a file:\n"
            f"{error}"
        ) from error


def load_network(source: str) -> keras.Model:
    """Returns the network in a source's file; ValueError as `load_model`, or if it is a group."""
    path = path_of(source)
    network = load_model(path)
    if isinstance(network, GroupModel):
        raise ValueError(f"{path} holds a group, not a network; export one of its members first.")
    return network


# Functions


def import_function(source: str) -> Callable:
    """Returns the function that a source such as `my_networks:tiny` names.

    The module is looked for in the working directory too.

    Raises:
        ValueError: if there is none, or the module cannot be imported.
    """
    module_name, _, function_name = source.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # the working directory, where a command does not look by itself
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the module does
        if isinstance(error, ModuleNotFoundError) and error.name == module_name:
            raise ValueError(
                f"there is no module {module_name}, neither here nor installed."
            ) from error
        raise ValueError(
            f"{module_name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        alike = difflib.get_close_matches(function_name, vars(module), n=1)
        hint = f"; did you mean {alike[0]}?" if alike else "."
        raise ValueError(f"{module_name} has no function {function_name!r}{hint}")
    return function


def import_modules(sources: Iterable[str]) -> None:
    """Imports the modules of sources, whose layers may be in a file that is to be loaded."""
    for source in sources:
        with contextlib.suppress(ValueError, ImportError):  # then loading says what it lacks
            if kind_of(source) == "code":
                import_function(source)
            elif source.startswith("hub:"):
                importlib.import_module("keras_hub")


def call_function(source: str, image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Returns the network that a source's function builds; ValueError if it does not."""
    function = import_function(source)
    try:
        network = function(image_shape, num_classes)
    except Exception as error:  # whatever the function does
        raise ValueError(
            f"{source}{(image_shape, num_classes)} raises {type(error).__name__}: {error}"
        ) from error
    if not isinstance(network, keras.Model):
        raise ValueError(f"{source} must return a keras.Model, not {type(network).__name__}.")
    return network
