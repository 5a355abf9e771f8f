"""Group knowledge distillation with online role change, for Keras 3 and TensorFlow."""

import os
import sys

from orc_keras import startup

if sys.argv[0] == "-m":  # a program of this package is being started by `python -m`
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with startup.honouring_log_level():
    import tensorflow  # noqa: F401

from orc_keras import callbacks
from orc_keras.groups.independent import Alone
from orc_keras.groups.knowledge_distillation import (
    DenselyGuided,
    KnowledgeDistillation,
    TeacherAssistants,
)
from orc_keras.groups.mutual_learning import CollaborativeLearning, MutualLearning
from orc_keras.groups.network_group import NetworkGroup
from orc_keras.groups.online_role_change import OnlineRoleChange
from orc_keras.training import optimizers

__version__ = "0.1.0"
__all__ = [
    "Alone",
    "CollaborativeLearning",
    "DenselyGuided",
    "KnowledgeDistillation",
    "MutualLearning",
    "NetworkGroup",
    "OnlineRoleChange",
    "TeacherAssistants",
    "callbacks",
    "optimizers",
]
