"""Group knowledge distillation with online role change, for Keras 3 and TensorFlow.

Heavy modules are imported on first use. If Keras is already imported, the groups are too, so that
`keras.saving.load_model` knows them.
"""

import importlib
import sys

__version__ = "0.1.0"
_GROUPS = "orc_keras.groups"
_PLACES = {
    "METHODS": "orc_keras.groups.registry",
    "Alone": "orc_keras.groups.alone",
    "CollaborativeLearning": "orc_keras.groups.mutual_learning",
    "DenselyGuided": "orc_keras.groups.knowledge_distillation",
    "KnowledgeDistillation": "orc_keras.groups.knowledge_distillation",
    "MutualLearning": "orc_keras.groups.mutual_learning",
    "NetworkGroup": "orc_keras.groups.network_group",
    "OnlineRoleChange": "orc_keras.groups.online_role_change",
    "TeacherAssistants": "orc_keras.groups.knowledge_distillation",
    "callbacks": "orc_keras.callbacks",
    "method": "orc_keras.groups.registry",
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
    return getattr(module, name, module)


def __dir__():
    return [*globals(), *__all__]


if "keras" in sys.modules:
    importlib.import_module(_GROUPS)
