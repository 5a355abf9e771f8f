"""Group knowledge distillation with online role change, for Keras 3 and TensorFlow.

Heavy modules are imported on first use. If Keras is already imported, the groups are too, so that
`keras.saving.load_model` knows them.
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
    "models": "orc_keras.models",
    "networks": "orc_keras.networks",
    "optimizers": "orc_keras.groups.optimizers",
}
__all__ = list(_PLACES)


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name != "models":  # which the groups import
        importlib.import_module(_GROUPS)  # registers all classes, whichever is requested
    module = importlib.import_module(_PLACES[name])
    return getattr(module, name) if name[0].isupper() else module


def __dir__():
    return [*globals(), *__all__]


if "keras" in sys.modules:
    importlib.import_module(_GROUPS)
