"""Kinds of sources; files and functions that networks come from."""

import contextlib
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

Kind = Literal["name", "file", "features", "code", "pretrained"]
PREFIXES: dict[str, Kind] = {
    "raw": "file",  # of a network that takes pixels from 0 to 255
    "features": "features",
    "applications": "pretrained",
    "hub": "pretrained",
}


def kind_of(source: str) -> Kind:
    """Returns what a source as for `networks.build` is; "name" is one in `models/`.

    Example:

    >>> [kind_of(each) for each in ("resnet20", "raw:teacher.keras", "my_networks:tiny")]
    ['name', 'file', 'code']
    """
    prefix, colon, _ = source.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix]
    if source.endswith(".keras"):
        return "file"
    return "code" if colon else "name"


def name_of(source: str) -> str:
    """Returns the name that a network from a source gets.

    Example:

    >>> [name_of(each) for each in ("runs/a/teacher.keras", "applications:MobileNetV2")]
    ['teacher', 'mobilenetv2']
    """
    kind, name = kind_of(source), source.rpartition(":")[2]
    if kind in ("file", "features"):
        name = Path(name).stem
    elif kind == "pretrained":
        name = Path(name).name.lower()
    return re.sub(r"\W+", "_", name)


def path_of(source: str) -> str:
    """Returns the path in the source of a file."""
    return str(Path(re.sub("^(raw|features):", "", source)).expanduser())


def checksum(source: str) -> str:
    """Returns the SHA-256 of a source's file, or of the module in which its function is."""
    if kind_of(source) != "code":
        return sha256(path_of(source))
    return sha256(inspect.getfile(importlib.import_module(source.partition(":")[0])))


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
    network = load_model(path_of(source))
    if isinstance(network, GroupModel):
        raise ValueError(f"{source} holds a group, not a network; export one of its members first.")
    return network


def import_function(source: str) -> Callable:
    """Returns the function that a source such as `my_networks:tiny` names.

    The module is looked for in the working directory too.

    Raises:
        ValueError: if there is none, or the module cannot be imported.
    """
    module, _, function = source.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # the working directory, where a command does not look by itself
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{source} cannot be imported: {error}") from error


def import_modules(sources: Iterable[str]) -> None:
    """Imports the modules of sources, whose layers may be in a file that is to be loaded."""
    for source in sources:
        with contextlib.suppress(ValueError, ImportError):  # then loading says what it lacks
            if kind_of(source) == "code":
                import_function(source)
            elif source.startswith("hub:"):
                importlib.import_module("keras_hub")
