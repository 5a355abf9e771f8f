"""Ends training when a loss is no longer finite."""

import math

import keras


class NonFiniteLoss(FloatingPointError):
    """A loss became NaN or infinite."""


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Raises `NonFiniteLoss` when a loss, in a group that of any member, is NaN or infinite.

    Put it before callbacks that save, so that the last save is of a finite state.

    Examples:
        >>> network = models.build("resnet8", (8, 8, 1), 10)
        >>> network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> stop = StopOnNonFiniteLoss()
        >>> network.fit(np.nan * images, labels, verbose=0, callbacks=[stop])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        orc_keras.callbacks.non_finite_loss.NonFiniteLoss: loss: no longer finite in epoch 1; ...
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        losses = {name: value for name, value in (logs or {}).items() if name.endswith("loss")}
        names = [name for name, value in losses.items() if not math.isfinite(value)]
        if names:
            raise NonFiniteLoss(
                f"{', '.join(names)}: no longer finite in epoch {self._epoch}; a lower learning "
                "rate usually helps."
            )
