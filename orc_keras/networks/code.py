"""Networks from functions in modules of the user."""

import contextlib
import difflib
import importlib
import sys

import keras

from orc_keras.networks.kinds import kind_of, name_of
from orc_keras.networks.member import as_member


def function_of(source):
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
        raise ValueError(f"{module_name} cannot be imported: {_said(error)}.") from error
    function = getattr(module, function_name, None)
    if not callable(function):
        alike = difflib.get_close_matches(function_name, vars(module), n=1)
        hint = f"; did you mean {alike[0]}?" if alike else "."
        raise ValueError(f"{module_name} has no function {function_name!r}{hint}")
    return function


def import_modules(sources):
    """Imports the modules of sources, whose layers may be in a file that is to be loaded."""
    for source in sources:
        with contextlib.suppress(ValueError, ImportError):  # then loading says what it lacks
            if kind_of(source) == "code":
                function_of(source)
            elif source.startswith("hub:"):
                importlib.import_module("keras_hub")


def build(source, images):
    """Returns the network that a function builds as a member; as `sources.build`."""
    function = function_of(source)
    try:
        network = function(images.shape, images.num_classes)
    except Exception as error:  # whatever the function does
        raise ValueError(
            f"{source}{(images.shape, images.num_classes)} raises {_said(error)}."
        ) from error
    if not isinstance(network, keras.Model):
        raise ValueError(f"{source} must return a keras.Model, not {type(network).__name__}.")
    try:
        return as_member(network, name_of(source), images)
    except ValueError as error:
        raise ValueError(f"{source} returns a network that does not suit: {error}") from error


def _said(error):
    message = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
