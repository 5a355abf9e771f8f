"""Group knowledge distillation with online role change, for Keras 3 and TensorFlow.

Heavy modules are imported on first use. If Keras is already imported, the groups are too, so that
`keras.saving.load_model` knows them.
"""

import importlib
import sys

__version__ = "0.1.0"
_MODULES = {
    "METHODS": "orc_keras.groups",
    "NetworkGroup": "orc_keras.groups.network_group",
    "callbacks": "orc_keras.callbacks",
    "load_images": "orc_keras.data:load",
    "method": "orc_keras.groups",
    "models": "orc_keras.models",
    "networks": "orc_keras.networks",
    "optimizers": "orc_keras.groups.optimizers",
    "train": "orc_keras.experiment",
}


def __getattr__(name):
    """Returns a module or class; the class of a method by its name."""
    if name == "models":  # which the groups import
        return importlib.import_module(_MODULES[name])
    if not name[0].isupper() and name not in _MODULES:  # a submodule that Python imports by itself
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    groups = importlib.import_module("orc_keras.groups")  # registers the classes of all methods
    classes = {each.__name__: each for each in groups.METHODS.values()}
    if name in classes:
        return classes[name]
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    path, _, attribute = _MODULES[name].partition(":")
    module = importlib.import_module(path)
    return getattr(module, attribute or name, module)


def __dir__():
    return [*globals(), *_MODULES]


if "keras" in sys.modules:
    importlib.import_module("orc_keras.groups")
