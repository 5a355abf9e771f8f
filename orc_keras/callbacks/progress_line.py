"""The progress of training in lines, also for a log file."""

import sys
import time

import keras

from orc_keras.formatting import duration
from orc_keras.groups.default_callbacks import student_logs
from orc_keras.groups.network_group import NetworkGroup

PRINT_EVERY = 60  # seconds, between lines within an epoch


class ProgressLine(keras.callbacks.Callback):
    """Prints a line after each epoch of a group's training, and every minute of a long one.

    It has the accuracy of the student (of the last learner, where the student does not learn),
    images per second, and the time gone and left. Both rates include evaluations, but not the first
    step, which is compiled. On a terminal, below the progress bar, a line has the times only.

    Args:
        epochs: of the whole training.
        steps_per_epoch: mini-batches in an epoch.
        batch_size: images in a mini-batch, over all replicas.
        first_step: the number of earlier steps, if training continues.
        seconds: the duration of these.
        split_name: of the images of evaluations.

    Examples:
        >>> line = ProgressLine(epochs=1, steps_per_epoch=4, batch_size=8)
        >>> history = group.fit(
        ...     images, labels, batch_size=8, verbose=0, callbacks=[line])  # doctest: +ELLIPSIS
        Compiling the step; the first one takes a while.
        epoch 1 of 1: accuracy ...%, ... images/s, 0:... gone, 0:00 left
    """

    model: NetworkGroup

    def __init__(
        self,
        epochs: int,
        steps_per_epoch: int,
        batch_size: int,
        first_step: int = 0,
        seconds: float = 0.0,
        split_name: str = "held out",
    ):
        super().__init__()
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch
        self._batch_size, self._split_name = batch_size, split_name
        self._step, self._seconds = first_step, seconds
        self._start = self._last_print = time.monotonic()
        self._first = None  # the time and the number of steps after this process's first one

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._earlier_steps = epoch, self._step

    def on_train_batch_begin(self, batch, logs=None):
        if not self._first:
            print("Compiling the step; the first one takes a while.", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        self._step, now = self._earlier_steps + batch + 1, time.monotonic()
        self._first = self._first or (now, self._step)
        if now - self._last_print > PRINT_EVERY and not sys.stdout.isatty():
            step = self._step - self._epoch * self._steps_per_epoch
            self._print(f", step {step:,} of {self._steps_per_epoch:,}", logs)

    def on_epoch_end(self, epoch, logs=None):
        self._print("", logs)

    def _print(self, step, logs):
        now = self._last_print = time.monotonic()
        times, speed = [f"{duration(self._seconds + now - self._start)} gone"], []
        first_time, first_step = self._first or (now, self._step)
        if self._step > first_step:
            seconds_per_step = (now - first_time) / (self._step - first_step)
            steps_left = self._epochs * self._steps_per_epoch - self._step
            times.append(f"{duration(seconds_per_step * steps_left)} left")
            speed.append(f"{self._batch_size / seconds_per_step:,.0f} images/s")
        if sys.stdout.isatty():
            print(", ".join(times), flush=True)
            return
        values = student_logs(self.model, logs)
        labels = {"accuracy": "accuracy", "val_accuracy": self._split_name}
        accuracies = [f"{label} {values[n]:.2%}" for n, label in labels.items() if n in values]
        line = ", ".join([*accuracies, *speed, *times])
        print(f"epoch {self._epoch + 1} of {self._epochs}{step}: {line}", flush=True)
