"""Keras callbacks; `GroupTensorBoard`, `StopOnNonFiniteLoss`, `Throughput` need no group."""

from orc_keras.callbacks.early_stopping import EarlyStopping
from orc_keras.callbacks.group_csv_logger import GroupCSVLogger
from orc_keras.callbacks.non_finite import NonFiniteLoss, StopOnNonFiniteLoss
from orc_keras.callbacks.progress_line import ProgressLine
from orc_keras.callbacks.role_history import RoleHistory
from orc_keras.callbacks.tensorboard import GroupTensorBoard
from orc_keras.callbacks.throughput import Throughput
from orc_keras.groups.default_callbacks import StudentProgress

__all__ = [
    "GroupCSVLogger",
    "GroupTensorBoard",
    "NonFiniteLoss",
    "ProgressLine",
    "RoleHistory",
    "EarlyStopping",
    "StopOnNonFiniteLoss",
    "StudentProgress",
    "Throughput",
]
