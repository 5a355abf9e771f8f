"""The callback that says how far training is, and when it ends, also to a log file."""

import sys
import time

import keras

from orc_keras.formatting import duration
from orc_keras.groups.default_callbacks import student_logs

EVERY = 60  # seconds, between lines within an epoch


class ProgressLine(keras.callbacks.Callback):
    """Prints a line after each epoch of a group's training, and every minute of a long one.

    It has the accuracy of the student (of the learner, where the student does not learn), images
    per second, and the time gone and left. Speed and the time left are those of this process's
    steps so far, evaluations included, without the first step, which is compiled. On a terminal,
    where there is a progress bar, a line has the times only.

    Args:
        epochs: of the whole training.
        steps_per_epoch: mini-batches in an epoch.
        batch_size: images in a mini-batch, over all replicas.
        first_step: the number of steps made before, if training continues.
        seconds: the time that these took.
        split_name: of the images of evaluations.

    Example:

    >>> pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
    >>> group = orc_keras.OnlineRoleChange(pivot, students)
    >>> group.compile("sgd")
    >>> line = orc_keras.callbacks.ProgressLine(epochs=1, steps_per_epoch=4, batch_size=8)
    >>> how = dict(batch_size=8, verbose=0, callbacks=[line])
    >>> history = group.fit(images, labels, **how)  # doctest: +ELLIPSIS
    Compiling the step; the first one takes a while.
    epoch 1 of 1: accuracy ...%, ... images/s, 0:... gone, 0:00 left
    """

    def __init__(
        self, epochs, steps_per_epoch, batch_size, first_step=0, seconds=0.0, split_name="held out"
    ):
        super().__init__()
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch
        self._batch_size, self._seconds = batch_size, seconds
        self._done, self._split_name = first_step, split_name
        self._began, self._announced = None, False
        self._compiled = None  # the time and the number of steps when the first one was made

    def on_train_begin(self, logs=None):
        if self._began is None:
            self._began = self._said = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, begin = epoch, epoch * self._steps_per_epoch
        if not begin <= self._done < begin + self._steps_per_epoch:  # another training
            self._done = begin
        self._before = self._done

    def on_train_batch_begin(self, batch, logs=None):
        if not self._announced:
            print("Compiling the step; the first one takes a while.", flush=True)
            self._announced = True

    def on_train_batch_end(self, batch, logs=None):
        self._done, now = self._before + batch + 1, time.monotonic()
        self._compiled = self._compiled or (now, self._done)
        if now - self._said > EVERY and not sys.stdout.isatty():
            step = self._done - self._epoch * self._steps_per_epoch
            self._say(f", step {step:,} of {self._steps_per_epoch:,}", logs)

    def on_epoch_end(self, epoch, logs=None):
        self._say("", logs)

    def _say(self, where, logs):
        self._said = time.monotonic()
        times = f"{duration(self._seconds + self._said - self._began)} gone"
        if pace := self._pace():
            left = pace * (self._epochs * self._steps_per_epoch - self._done)
            times += f", {duration(left)} left"
        if sys.stdout.isatty():  # below the progress bar
            print(times, flush=True)
            return
        shown = student_logs(self.model, logs)
        words = {"accuracy": "accuracy", "val_accuracy": self._split_name}
        figures = [f"{words[name]} {shown[name]:.2%}" for name in words if name in shown]
        place = f"epoch {self._epoch + 1} of {self._epochs}{where}"
        print(f"{place}: {', '.join([*figures, *self._rate(), times])}", flush=True)

    def _pace(self):
        """Returns the seconds of a step, evaluations included; None before the second one."""
        since, first = self._compiled or (0, self._done)
        made = self._done - first
        return (time.monotonic() - since) / made if made else None

    def _rate(self):
        pace = self._pace()
        return [f"{self._batch_size / pace:,.0f} images/s"] if pace else []
