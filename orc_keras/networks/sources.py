"""Kinds of sources; files and functions that networks come from."""

import contextlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import keras

from orc_keras import models
from orc_keras.files import sha256
from orc_keras.groups.base_model import GroupModel

Kind = Literal["name", "file", "features", "code", "pretrained"]
PREFIXES: dict[str, Kind] = {
    "raw": "file",  # of a network that takes pixels from 0 to 255
    "features": "features",
    "applications": "pretrained",
    "hub": "pretrained",
}
HDF5 = (".h5", ".hdf5")
LARGEST_GROWTH = 10  # of a part of a .keras file, if somebody has compressed it
SHOWN = 500  # characters of both ends of Keras's messages, which may repeat all of a file


def kind_of(source: str) -> Kind:
    """Returns what a source as for `networks.build` is; "name" is one in `models/`.

    Examples:
        >>> [kind_of(each) for each in ("resnet20", "raw:teacher.keras", "my_networks:tiny")]
        ['name', 'file', 'code']
    """
    prefix, colon, _ = source.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix]
    if source.endswith((".keras", *HDF5)):
        return "file"
    if colon:
        return "code"
    # `Path` raises errors for what cannot be a path.
    is_directory = source not in models.names() and os.path.isdir(os.path.expanduser(source))
    return "file" if "/" in source or is_directory else "name"


def name_of(source: str) -> str:
    """Returns the name that a network from a source gets.

    Examples:
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
    return os.path.expanduser(re.sub("^(raw|features):", "", source))


def checksum(source: str) -> str:
    """Returns the SHA-256 of a source's file, or of the module in which its function is."""
    if kind_of(source) != "code":
        return sha256(path_of(source))
    return sha256(_code_file(source))


def check_file(path: str | Path) -> None:
    """Raises ValueError if there is no such file, or it is no `.keras` file."""
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        raise ValueError(
            f"{path} is a SavedModel, which runs but cannot learn; give the network that it was "
            f'exported from, saved with network.save("{path}.keras").'
        )
    if path.suffix in HDF5:
        problem = "is in Keras's older format HDF5" if path.is_file() else "is not a file"
        raise ValueError(
            f"{path} {problem}, and a member comes from a .keras file; load the network with "
            f'keras.saving.load_model("{path}", compile=False), or build it and load_weights, and '
            f'save it with network.save("{path.with_suffix(".keras")}").'
        )
    if not path.is_file():
        raise ValueError(f"{path} is not a file.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is not a .keras file that Keras 3 has saved, or is damaged.")


def load_model(path: str | Path, kind: type = keras.Model) -> Any:
    """Returns the model in a file, loaded in Keras's safe mode, which runs no code from it.

    All files of networks and of groups come in here.

    Args:
        path: of the file.
        kind: `keras.Model` for a network; `GroupModel` for a group.

    Raises:
        ValueError: if it is missing or damaged, is of another kind, holds code, or has layers of
            unknown classes.
    """
    check_file(path)
    try:
        _check_sizes(path)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for damaged files
        message = str(error)
        if len(message) > 2 * SHOWN:
            message = f"{message[:SHOWN]} ... {message[-SHOWN:]}"
        raise ValueError(
            f"{path} cannot be loaded in Keras's safe mode, which runs no code from a file:\n"
            f"{message}"
        ) from error
    is_group, wants_group = isinstance(model, GroupModel), kind is GroupModel
    if is_group and not wants_group:
        raise ValueError(f"{path} holds a group, not a network; export one of its members first.")
    if not isinstance(model, kind):
        wanted = "group" if wants_group else "network"
        raise ValueError(f"{path} holds no {wanted}, but a {type(model).__name__}.")
    return model


def _check_sizes(path: str | Path) -> None:
    """Raises ValueError if the archive would grow beyond measure; Keras compresses nothing."""
    with zipfile.ZipFile(path) as archive:
        for each in archive.infolist():
            if each.file_size > 2**20 + LARGEST_GROWTH * each.compress_size:
                raise ValueError(f"{each.filename!r} in it has {each.file_size:,} bytes unpacked.")


@contextlib.contextmanager
def explain_errors(source: str) -> Iterator[None]:
    """Makes a ValueError that names a source of an error; of code, also the line that failed."""
    try:
        yield
    except Exception as error:  # code may raise any, and a stranger's network too
        if isinstance(error, ValueError) and str(error).startswith(source):
            raise  # it is named already
        is_code = kind_of(source) == "code"
        line = _failed_line(source, error) if is_code else ""
        message = " ".join(re.sub(r"\x1b\[\d+m", "", str(error)).split())  # Keras's: some, bold
        raise ValueError(f"{source} cannot be a member{line}: {message}") from error


def import_code(source: str) -> Any:
    """Returns the function that a source such as `my_networks:tiny` names; without `:`, the module.

    Call it only for what the user has named: it runs code, which no file of a run may ask for.

    The module is looked for in the working directory too.

    Raises:
        ValueError: if there is none, or the module cannot be imported.
    """
    module, _, function = source.partition(":")
    if "" not in sys.path:
        sys.path.append("")  # the working directory, where a command does not look by itself
    try:
        imported = importlib.import_module(module)
        return getattr(imported, function) if function else imported
    except Exception as error:  # code may raise any
        line = _failed_line(source, error)
        raise ValueError(f"{source} cannot be imported{line}: {error}") from error


def _failed_line(source, error):
    """Returns the line of a source's module in which an error was raised, and its kind, as text."""
    with contextlib.suppress(ImportError, ValueError):  # there is no such module
        file = _code_file(source)
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == file]
        if lines:
            return f" ({type(error).__name__} in line {lines[-1]} of {file})"
    return ""


def _code_file(source):
    """Returns the path of the module that a source names."""
    spec = importlib.util.find_spec(source.partition(":")[0])
    if spec is None or spec.origin is None:
        raise ValueError(f"{source} is not in a file.")
    return spec.origin
