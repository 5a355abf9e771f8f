"""Keras callbacks; `GroupTensorBoard`, `StopOnNonFiniteLoss` and `Throughput` need no group."""

from orc_keras.callbacks.early_stopping import EarlyStopping
from orc_keras.callbacks.group_csv_logger import GroupCSVLogger
from orc_keras.callbacks.group_tensorboard import GroupTensorBoard
from orc_keras.callbacks.non_finite_loss import NonFiniteLoss, StopOnNonFiniteLoss
from orc_keras.callbacks.progress_line import ProgressLine
from orc_keras.callbacks.role_history import RoleHistory
from orc_keras.callbacks.throughput import Throughput
from orc_keras.groups.default_callbacks import StudentProgress

__all__ = [
    "EarlyStopping",
    "GroupCSVLogger",
    "GroupTensorBoard",
    "NonFiniteLoss",
    "ProgressLine",
    "RoleHistory",
    "StopOnNonFiniteLoss",
    "StudentProgress",
    "Throughput",
]
