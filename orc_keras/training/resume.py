"""The callback that saves training, and continues it to the bit."""

import signal
import threading
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from orc_keras.distribution.workers import Workers


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
    `callback.first_step`. Put it before the callback that writes the history. If `fit` ends with an
    exception, call `release_signals()`.

    Args:
        saves: `Saves`.
        steps_per_epoch: mini-batches in an epoch.
        every: how often to save, a number and `"steps"` or `"epochs"`.
        history: path of the file that `keras.callbacks.CSVLogger(history, append=True)` writes.
        workers: `Workers`, if there are several: the chief's saves are read and written.

    Raises:
        ValueError: if `every` is something else; from `fit`, if it is not called as above, or if
            the save is one of another model.
        OSError: from `fit`, if a save cannot be written.

    Example:

    >>> saves = Saves(directory, "group")
    >>> progress = SaveAndContinue(saves, 100, (1, "epochs"), directory / "history.csv")
    >>> progress.first_step  # nothing was saved yet
    0

    Attributes:
        epoch: how many epochs are complete.
        step: how many steps have been made after these.
        first_step: how many steps have been made, in all epochs.
        seconds: how long training has taken, in this process and in earlier ones.
    """

    def __init__(self, saves, steps_per_epoch, every, history, workers=None):
        super().__init__()
        if every[0] < 1 or every[1] not in ("steps", "epochs"):
            raise ValueError(f'every must be like (500, "steps") or (1, "epochs"), not {every}.')
        self._saves = saves
        self._steps_per_epoch = steps_per_epoch
        self._every, self._unit = every
        self._history = Path(history)
        self._workers = workers or Workers(tf.distribute.get_strategy())
        self._received, self._handlers, self._started = 0, {}, None
        self.epoch, self.step, self._values = self._workers.from_chief(saves.read())
        self.first_step = self._steps()
        self.seconds = float(self._values["seconds"]) if self._values else 0.0

    def on_train_begin(self, logs=None):
        if self._started:
            raise ValueError("SaveAndContinue is for one call of `fit`; make another one.")
        self._saved = (self.epoch, self.step) if self._values else None
        self._steps_saved = self.first_step
        self._started = time.perf_counter() - self.seconds
        self._history.write_bytes(self._values["history"] if self._values else b"")
        if self._values:
            self._check(_state(self.model))
            self._restore(_state(self.model))
            self._values = {n: v for n, v in self._values.items() if n.startswith("metric/")}
        self._catch_signals()

    def on_epoch_begin(self, epoch, logs=None):
        if epoch != self.epoch:
            raise ValueError(f"`fit` must be given initial_epoch={self.epoch}, not {epoch}.")
        if self.step:
            self._restore(_metrics(self.model))  # Keras has just reset them
            self._pass_over(self.step)
        elif self._is_stopped() or self._is_due():
            self._save()

    def on_train_batch_end(self, batch, logs=None):
        if batch < self.step:  # passed over
            return
        self.step = batch + 1
        # After the last step of an epoch comes its validation, and then the save.
        if self.step < self._steps_per_epoch and (self._is_stopped() or self._is_due()):
            self._save()

    def on_test_begin(self, logs=None):
        self._trained = _values(_metrics(self.model))  # validation is going to reset them

    def on_test_batch_end(self, batch, logs=None):
        if self._is_stopped():
            self._save(self._trained)

    def on_epoch_end(self, epoch, logs=None):
        self.epoch, self.step = epoch + 1, 0

    def on_train_end(self, logs=None):
        if self._is_stopped() or self._saved != (self.epoch, self.step):
            self._save()
        self.release_signals()

    def _steps(self):
        return self.epoch * self._steps_per_epoch + self.step

    def _is_due(self):
        if self._unit == "epochs":
            return self.step == 0 and self._steps() > 0 and self.epoch % self._every == 0
        return self._steps() // self._every > self._steps_saved // self._every

    def _is_stopped(self):
        """Whether a signal has asked a worker to stop: then all of them do, after the same step."""
        self._signal = self._workers.largest(self._received)
        return self._signal > 0

    def _save(self, metrics=None):
        """Saves, unless that has just been done; then ends the training if a signal asked for it.

        Args:
            metrics: values to save in place of those that the metrics have now.
        """
        here = (self.epoch, self.step)
        if self._saved != here:
            self.seconds = time.perf_counter() - self._started
            values = self._of_all_workers(_values(_state(self.model)) | (metrics or {}))
            values |= {"seconds": self.seconds, "history": self._history.read_bytes()}
            if self._workers.is_chief:
                self._saves.write(*here, values)
            self._saved, self._steps_saved = here, self._steps()
        if self._signal:
            self._workers.part()
            self.release_signals()
            raise Stopped(self._signal, *here)

    def _of_all_workers(self, values):
        """Replaces what the replicas here have copies of by the copies of all replicas."""
        own = {name: copies for name, copies in values.items() if not name.startswith("same/")}
        workers = self._workers.gather(own)
        return values | {name: np.concatenate([each[name] for each in workers]) for name in own}

    def _restore(self, variables):
        for name, copies in variables.items():
            saved, replicas = self._values[name], len(copies) * self._workers.number
            if len(saved) != replicas:  # another number of replicas, or the same on all of them
                saved = _divided(saved, replicas) if name.startswith("metric/") else saved[:1]
            first = len(copies) * self._workers.index
            for number, copy in enumerate(copies, first):
                copy.assign(saved[number % len(saved)])

    def _check(self, variables):
        """Raises ValueError unless the save is one of such a model, with all of it built."""
        shapes = {name: tuple(copies[0].shape) for name, copies in variables.items()}
        saved = {name: np.shape(self._values[name])[1:] for name in self._values if "/" in name}
        if shapes != saved:
            raise ValueError(
                "The save is not one of this model: their variables differ. The model, its "
                "optimizer and its metrics have to be built before `fit`."
            )

    def _pass_over(self, steps):
        """Makes the next calls of the step do nothing: these steps were made before."""
        step = self.model.train_function
        left = steps // self.model.steps_per_execution

        def passed_over(iterator):
            nonlocal left
            left -= 1
            if left == 0:
                self.model.train_function = step
            model = self.model
            return getattr(model, "training_results", model.get_metrics_result)()

        self.model.train_function = passed_over

    def _catch_signals(self):
        self._received = 0

        def note(number, _):
            self._received = number
            if number == signal.SIGINT:  # a second Ctrl-C ends the program at once
                self.release_signals()

        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._handlers[number] = signal.signal(number, note)

    def release_signals(self):
        """Gives the signals back to whom they belonged before training."""
        while self._handlers:
            signal.signal(*self._handlers.popitem())


def _state(model):
    """Returns all that a model and its training consist of: copies of each variable, by its number.

    Not by its path: Keras names the layers of a second model of the same kind otherwise. Of what
    is the same on every replica there is one copy. BatchNorm's statistics are not, nor are metrics.
    """
    optimizers = getattr(model, "optimizers", {"": model.optimizer}).values()
    same = [*model.trainable_variables, *(v for o in optimizers for v in o.variables)]
    return {
        **{f"same/{i}": [variable] for i, variable in enumerate(same)},
        **_numbered("own", model, model.non_trainable_variables),
        **_metrics(model),
    }


def _metrics(model):
    return _numbered("metric", model, [v for metric in model.metrics for v in metric.variables])


def _numbered(kind, model, variables):
    copies = model.distribute_strategy.experimental_local_results
    return {f"{kind}/{i}": copies(variable.value) for i, variable in enumerate(variables)}


def _values(variables):
    convert = keras.ops.convert_to_numpy
    return {n: np.stack([convert(copy) for copy in copies]) for n, copies in variables.items()}


def _divided(copies, number):
    """Returns metrics, which are sums over replicas, for another number of these."""
    return np.stack([copies.sum(axis=0), *[np.zeros_like(copies[0])] * (number - 1)])
