"""Ends a training whose loss is no number any more."""

import math

import keras


class NonFiniteLoss(FloatingPointError):
    """A member's loss became NaN or infinite."""


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Ends training, by raising `NonFiniteLoss`, when a member's loss is NaN or infinite.

    Put it before callbacks that save, so that what they saved before stays.
    """

    def on_train_begin(self, logs=None):
        self._steps = None

    def on_epoch_begin(self, epoch, logs=None):
        self._batch = -1  # of data without a mini-batch this stays
        if self._steps is None:  # training may continue; of data without a known end it cannot
            self._steps = epoch * (self.params["steps"] or 0)

    def on_epoch_end(self, epoch, logs=None):
        self._steps += self._batch + 1

    def on_train_batch_end(self, batch, logs=None):
        self._batch = batch
        members = getattr(self.model, "members", None)
        losses = {n: f"{n}_loss" for n in members} if members else {self.model.name: "loss"}
        lost = [n for n, key in losses.items() if not math.isfinite(logs.get(key, 0))]
        if lost:
            step = self._steps + batch + 1
            raise NonFiniteLoss(
                f"The loss of {' and '.join(lost)} is no longer finite at step {step}; a "
                "lower learning rate usually helps."
            )
