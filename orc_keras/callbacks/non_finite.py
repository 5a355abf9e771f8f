"""Ends training when a loss is no longer finite."""

import math

import keras


class NonFiniteLoss(FloatingPointError):
    """A member's loss became NaN or infinite."""


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Ends training, by raising `NonFiniteLoss`, when a loss is NaN or infinite.

    In a group that is any member's loss. Put it before callbacks that save, so that the last save
    is of a finite state.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        is_lost = {n: n.endswith("loss") and not math.isfinite(v) for n, v in (logs or {}).items()}
        lost = [name for name, value in is_lost.items() if value]
        if lost:
            members = [name.removesuffix("_loss") for name in lost if name != "loss"]
            whose = f" of {' and '.join(members)}" if members else ""
            raise NonFiniteLoss(
                f"The loss{whose} is no longer finite in epoch {self._epoch}; a lower learning "
                "rate usually helps."
            )
