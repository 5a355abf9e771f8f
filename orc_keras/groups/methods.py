"""The methods by their names in `--method`."""

import inspect

import keras

from orc_keras.groups import arguments
from orc_keras.groups.alone import Alone
from orc_keras.groups.arguments import ARGUMENTS
from orc_keras.groups.knowledge_distillation import (
    DenselyGuided,
    KnowledgeDistillation,
    TeacherAssistants,
)
from orc_keras.groups.mutual_learning import CollaborativeLearning, MutualLearning
from orc_keras.groups.online_role_change import OnlineRoleChange
from orc_keras.networks.sources import name_of

METHODS = dict(
    zip(
        arguments.METHODS,
        (
            OnlineRoleChange,
            Alone,
            KnowledgeDistillation,
            MutualLearning,
            CollaborativeLearning,
            TeacherAssistants,
            DenselyGuided,
        ),
        strict=True,
    )
)


def arguments_of(method):
    """Returns the names of the arguments that a method's class takes."""
    return [name for name in inspect.signature(method.__init__).parameters if name in ARGUMENTS]


def check(settings):
    """Raises ValueError if the method is impossible with these settings.

    Networks without weights stand in for the members.
    """

    def network(name):
        image = keras.Input((1, 1, 2))
        return keras.Model(image, keras.layers.Flatten()(image), name=name)

    pivot, *students = map(name_of, (settings.pivot, *settings.students))
    build(network(pivot), [network(name) for name in students], settings)


def build(pivot, students, settings):
    """Returns the `NetworkGroup` that `settings.method` names, of built networks."""
    method = METHODS[settings.method]
    return method(pivot, students, **{n: getattr(settings, n) for n in arguments_of(method)})
