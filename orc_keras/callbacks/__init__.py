"""Keras callbacks; all but `RoleHistory` and `StudentProgress` work on any `keras.Model`."""

from orc_keras.callbacks.non_finite import NonFiniteLoss, StopOnNonFiniteLoss
from orc_keras.callbacks.role_history import RoleHistory
from orc_keras.callbacks.tensorboard import GroupTensorBoard
from orc_keras.callbacks.throughput import Throughput
from orc_keras.groups.own_callbacks import StudentProgress

__all__ = [
    "GroupTensorBoard",
    "NonFiniteLoss",
    "RoleHistory",
    "StopOnNonFiniteLoss",
    "StudentProgress",
    "Throughput",
]
