"""The ways to train a group, by the names that `--method` has for them."""

from orc_keras.alone import Alone
from orc_keras.online_role_change import OnlineRoleChange


def _orc(pivot, students, settings):
    return OnlineRoleChange(
        pivot,
        students,
        settings.temperature,
        settings.distillation_weight,
        settings.mixup_alpha,
        settings.temporary_teachers,
        settings.role_change_interval,
        settings.seed,
    )


def _alone(pivot, students, settings):
    return Alone(pivot, students)


METHODS = {"orc": _orc, "alone": _alone}


def build(pivot, students, settings):
    """Returns the group that `settings.method` names, a `NetworkGroup` of built networks."""
    return METHODS[settings.method](pivot, students, settings)
