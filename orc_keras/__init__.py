"""Group knowledge distillation with online role change, for Keras 3 and TensorFlow.

What is heavy is imported when it is first used. Where Keras has been imported already, that is at
once, so that `keras.saving.load_model` knows the groups.
"""

import importlib
import sys

__version__ = "0.1.0"
_GROUPS = "orc_keras.groups.methods"
_PLACES = {
    "Alone": _GROUPS,
    "CollaborativeLearning": _GROUPS,
    "DenselyGuided": _GROUPS,
    "KnowledgeDistillation": _GROUPS,
    "MutualLearning": _GROUPS,
    "NetworkGroup": "orc_keras.groups.network_group",
    "OnlineRoleChange": _GROUPS,
    "TeacherAssistants": _GROUPS,
    "callbacks": "orc_keras.callbacks",
    "optimizers": "orc_keras.groups.optimizers",
}
__all__ = list(_PLACES)


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    importlib.import_module(_GROUPS)  # registers the classes, whichever is asked for
    module = importlib.import_module(_PLACES[name])
    return getattr(module, name) if name[0].isupper() else module


def __dir__():
    return [*globals(), *__all__]


if "keras" in sys.modules:
    importlib.import_module(_GROUPS)
