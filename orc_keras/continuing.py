"""The callback that saves training, and continues it to the bit."""

import signal
import threading
import time
from pathlib import Path

import keras


class Stopped(Exception):
    """Training has been saved and ended, because a signal asked for it."""

    def __init__(self, signal_number, epoch, step):
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number, self.epoch, self.step = signal_number, epoch, step


class SaveAndContinue(keras.callbacks.Callback):
    """Saves all that training consists of, and continues from the newest save.

    That is every weight and metric of the model, its optimizer or optimizers, the position in the
    data, and the file of the history. With data whose order is a function of the step, as that of
    `orc_keras.data`, a training that was killed ends with the same weights and the same history as
    one that was not. SIGTERM, which a preempted machine gets, and SIGINT (Ctrl-C) save, and then
    raise `Stopped`.

    The model, its optimizer and its metrics must be built before `fit`, because what is not cannot
    be restored; a `NetworkGroup` builds all of it in `compile`. Fit the model with
    `initial_epoch=callback.epoch`, the same `steps_per_epoch`, and endless data that begin at
    `callback.first_step`. Put it before the callback that writes the history.

    Args:
        saves: `Saves`.
        steps_per_epoch: mini-batches in an epoch.
        every: how often to save, a number and `"steps"` or `"epochs"`.
        history: path of the file that `keras.callbacks.CSVLogger(history, append=True)` writes.

    Attributes:
        epoch: how many epochs are complete.
        step: how many steps have been made after these.
        first_step: how many steps have been made, in all epochs.
        seconds: how long training has taken, in this process and in earlier ones.
    """

    def __init__(self, saves, steps_per_epoch, every, history):
        super().__init__()
        self._saves = saves
        self._steps_per_epoch = steps_per_epoch
        self._every, self._unit = every
        self._history = Path(history)
        self.epoch, self.step, self._values = saves.read()
        self.first_step = self._steps()
        self.seconds = float(self._values["seconds"]) if self._values else 0.0

    def on_train_begin(self, logs=None):
        self._saved = (self.epoch, self.step) if self._values else None
        self._steps_saved = self.first_step
        self._started = time.perf_counter() - self.seconds
        self._history.write_bytes(self._values["history"] if self._values else b"")
        if self._values:
            self._check(_state(self.model))
            self._restore(_state(self.model))
        self._catch_signals()

    def on_epoch_begin(self, epoch, logs=None):
        if self.step:
            self._restore(_metrics(self.model))  # Keras has just reset them
            self._pass_over(self.step)
        elif self._signal or self._is_due():
            self._save()

    def on_train_batch_end(self, batch, logs=None):
        if batch < self.step:  # passed over
            return
        self.step = batch + 1
        # After the last step of an epoch comes its validation, and then the save.
        if self.step < self._steps_per_epoch and (self._signal or self._is_due()):
            self._save()

    def on_test_begin(self, logs=None):
        self._trained = _values(_metrics(self.model))  # validation is going to reset them

    def on_test_batch_end(self, batch, logs=None):
        if self._signal:
            self._save(self._trained)

    def on_epoch_end(self, epoch, logs=None):
        self.epoch, self.step = epoch + 1, 0

    def on_train_end(self, logs=None):
        if self._signal or self._saved != (self.epoch, self.step):
            self._save()
        self.release_signals()

    def _steps(self):
        return self.epoch * self._steps_per_epoch + self.step

    def _is_due(self):
        if self._unit == "epochs":
            return self.step == 0 and self._steps() > 0 and self.epoch % self._every == 0
        return self._steps() // self._every > self._steps_saved // self._every

    def _save(self, metrics=None):
        """Saves, unless that has just been done; then ends the training if a signal asked for it.

        Args:
            metrics: values to save in place of those that the metrics have now.
        """
        here = (self.epoch, self.step)
        if self._saved != here:
            self.seconds = time.perf_counter() - self._started
            values = _values(_state(self.model)) | (metrics or {})
            values |= {"seconds": self.seconds, "history": self._history.read_bytes()}
            self._saves.write(*here, values)
            self._saved, self._steps_saved = here, self._steps()
        if self._signal:
            self.release_signals()
            raise Stopped(self._signal, *here)

    def _check(self, variables):
        """Raises ValueError unless the save is one of the same model, with all of it built."""
        different = set(variables).symmetric_difference(self._values) - {"seconds", "history"}
        if different:
            raise ValueError(
                f"The save is not one of this model: only one of them has {min(different)}. "
                "Build the model, its optimizer and its metrics before `fit`."
            )

    def _restore(self, variables):
        for name, variable in variables.items():
            variable.assign(self._values[name])

    def _pass_over(self, steps):
        """Makes the next calls of the step do nothing: these steps were made before."""
        step = self.model.train_function
        left = steps // self.model.steps_per_execution

        def passed_over(iterator):
            nonlocal left
            left -= 1
            if left == 0:
                self.model.train_function = step
            return self.model.get_metrics_result()

        self.model.train_function = passed_over

    def _catch_signals(self):
        self._signal, self._handlers = None, {}

        def note(number, _):
            self._signal = number
            self.release_signals()  # so that a second Ctrl-C ends the program at once

        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._handlers[number] = signal.signal(number, note)

    def release_signals(self):
        """Gives the signals back to whom they belonged before training."""
        while self._handlers:
            signal.signal(*self._handlers.popitem())


def _state(model):
    """Returns every variable of a model and of its training, by a name of its own."""
    optimizers = getattr(model, "optimizers", {"": model.optimizer}).values()
    variables = [*model.variables, *(v for o in optimizers for v in o.variables)]
    named = {f"{i:05d}/{variable.path}": variable for i, variable in enumerate(variables)}
    return named | _metrics(model)


def _metrics(model):
    variables = [variable for metric in model.metrics for variable in metric.variables]
    return {f"metric/{i:05d}/{v.path}": v for i, v in enumerate(variables)}


def _values(variables):
    return {name: keras.ops.convert_to_numpy(variable) for name, variable in variables.items()}
