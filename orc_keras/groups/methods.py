"""The ways to train a group, by the names that `--method` has for them."""

import keras

from orc_keras.groups import online_role_change
from orc_keras.groups.independent import Alone
from orc_keras.groups.knowledge_distillation import (
    DenselyGuided,
    KnowledgeDistillation,
    TeacherAssistants,
)
from orc_keras.groups.mutual_learning import CollaborativeLearning, MutualLearning
from orc_keras.groups.online_role_change import OnlineRoleChange

# The class of each, and which settings it is given: those are called as its arguments are.
METHODS = {
    "orc": (OnlineRoleChange, online_role_change.ARGUMENTS),
    "alone": (Alone, ()),
    "kd": (KnowledgeDistillation, ("temperature", "distillation_weight")),
    "dml": (MutualLearning, ()),
    "kdcl": (CollaborativeLearning, ("temperature",)),
    "takd": (TeacherAssistants, ("temperature", "distillation_weight")),
    "dgkd": (DenselyGuided, ("temperature", "distillation_weight", "seed")),
}


def check(settings):
    """Raises `ValueError` if the method is impossible with these settings.

    Networks without weights stand in for those that the settings name.
    """

    def network(name):
        image = keras.Input((1, 1, 2))
        return keras.Model(image, keras.layers.Flatten()(image), name=name)

    build(network(settings.pivot), [network(name) for name in settings.students], settings)


def build(pivot, students, settings):
    """Returns the group that `settings.method` names, a `NetworkGroup` of built networks."""
    group, arguments = METHODS[settings.method]
    return group(pivot, students, **{name: getattr(settings, name) for name in arguments})
