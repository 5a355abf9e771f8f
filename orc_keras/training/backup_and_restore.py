"""The callback that saves training, and continues it bit by bit the same."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from orc_keras.distribution.workers import Workers
from orc_keras.training.checkpoints import CheckpointManager
from orc_keras.training.signals import Stopped, StopSignals


class BackupAndRestore(keras.callbacks.Callback):
    """Saves the whole state of a group's training, and continues from the newest checkpoint.

    The state is every weight and metric of the group, its optimizers, the position in the data and
    the history file. If the order of the data is a function of the step, as in `orc_keras.data`,
    interrupted training ends with the same weights and history as uninterrupted training. A signal
    causes a checkpoint, and then `Stopped`.

    Call `fit` once for each of `fit_segments(epochs)`, with endless data that begin at
    `callback.first_step`. Put the callback before the one that writes the history. Build everything
    before `fit`, as a `NetworkGroup` does: only built variables can be restored.

    Args:
        checkpoints: their `CheckpointManager`.
        steps_per_epoch: mini-batches in an epoch.
        every: the interval between checkpoints, a number and `"steps"` or `"epochs"`.
        history: path of the file that `GroupCSVLogger(history, append=True)` writes.
        workers: `Workers`, if there are several: only the chief reads and writes checkpoints.
        signals: `StopSignals`, which may stop training; None: nothing does.
        check: called before anything is written, by this callback or those behind it.

    Raises:
        ValueError: if `every` is something else; from `fit`, if it is not called as above, or if
            the checkpoint is of another group.
        OSError: from `fit`, if a checkpoint cannot be written, or others changed the history.

    Examples:
        >>> checkpoints = CheckpointManager(directory, "group")
        >>> progress = BackupAndRestore(checkpoints, 100, (1, "epochs"), directory / "history.csv")
        >>> list(progress.fit_segments(epochs=3))  # nothing was saved yet
        [(3, 100)]

    Attributes:
        steps_per_epoch: as given.
        epoch: the number of complete epochs.
        step: the number of steps made after these.
        first_step: the number of steps made in all epochs.
        seconds: the duration of training until the last checkpoint, in all processes.
    """

    def __init__(
        self,
        checkpoints: CheckpointManager,
        steps_per_epoch: int,
        every: tuple[int, str],
        history: str | Path,
        workers: Workers | None = None,
        signals: StopSignals | None = None,
        check: Callable[[], object] = lambda: None,
    ):
        super().__init__()
        if every[0] < 1 or every[1] not in ("steps", "epochs"):
            raise ValueError(f'every must be like (500, "steps") or (1, "epochs"), not {every}.')
        self._checkpoints = checkpoints
        self.steps_per_epoch = steps_per_epoch
        self._every, self._unit = every
        self._history = Path(history)
        self._workers = workers or Workers(tf.distribute.get_strategy())
        self._signals = signals or StopSignals()
        self._check_files = check
        self._started: float | None = None
        self._metrics: list[keras.Metric] = []
        self.epoch, self.step, self._values = self._workers.broadcast(checkpoints.read())
        self.seconds = float(self._values["seconds"]) if self._values else 0.0

    @property
    def saved_history(self) -> str:
        """The history file's text at the checkpoint that training continues from."""
        return self._values["history"].tobytes().decode() if self._values else ""

    @property
    def first_step(self) -> int:
        return self.epoch * self.steps_per_epoch + self.step

    def fit_segments(self, epochs: int) -> Iterator[tuple[int, int]]:
        """Yields the rest of the training as arguments of `fit`: `epochs` and `steps_per_epoch`.

        First the rest of an interrupted epoch, then the other epochs. The rest has 0 steps if
        training stopped after the last one, before or during the evaluation.
        """
        if self.step:
            yield self.epoch + 1, self.steps_per_epoch - self.step
        if self.epoch < epochs or self._started is None:
            yield epochs, self.steps_per_epoch

    def on_train_begin(self, logs=None):
        self._check_files()
        if self._started is not None:  # the second part
            return
        self._saved = (self.epoch, self.step) if self._values else None
        self._steps_saved = self.first_step
        self._started = time.perf_counter() - self.seconds
        self._metrics = self.model.metrics  # of training; a group has others in evaluation
        self._history_text = self.saved_history.encode()
        self._history.write_bytes(self._history_text)
        if self._values:
            self._check(self._state())
            self._restore(self._state())
            self._values = {n: v for n, v in self._values.items() if n.startswith("metric/")}

    def on_epoch_begin(self, epoch, logs=None):
        if epoch != self.epoch:
            raise ValueError(f"`fit` must be given initial_epoch={self.epoch}, not {epoch}.")
        self._steps_restored = self.step
        if self.step:
            self._restore(self._numbered("metric", self._metric_variables()))  # just reset by Keras
        elif self._is_stopped() or self._is_due():
            self._save()

    def on_train_batch_end(self, batch, logs=None):
        self.step = self._steps_restored + batch + 1
        # After the last step of an epoch, validation comes first, and then the checkpoint.
        if self.step < self.steps_per_epoch and (self._is_stopped() or self._is_due()):
            self._save()

    def on_test_begin(self, logs=None):
        # Validation resets the metrics of training.
        self._trained = _values(self._numbered("metric", self._metric_variables()))

    def on_test_batch_end(self, batch, logs=None):
        if self._is_stopped():
            self._save(self._trained)

    def on_epoch_end(self, epoch, logs=None):
        self._check_files()
        self.epoch, self.step = epoch + 1, 0

    def on_train_end(self, logs=None):
        if self._is_stopped() or self._saved != (self.epoch, self.step):
            self._save()

    def _is_due(self):
        if self._unit == "epochs":
            return self.step == 0 and self.epoch > 0 and self.epoch % self._every == 0
        return self.first_step // self._every > self._steps_saved // self._every

    def _is_stopped(self):
        """Whether any worker got a signal to stop; all workers then stop after the same step."""
        self._signal = self._workers.max(self._signals.received)
        return self._signal > 0

    def _save(self, metrics=None):
        """Saves, unless this step is saved already; then stops training if there was a signal.

        Args:
            metrics: values to save in place of the current ones.
        """
        position = (self.epoch, self.step)
        if self._saved != position:
            self.seconds = time.perf_counter() - (self._started or 0.0)
            values = self._of_all_workers(_values(self._state()) | (metrics or {}))
            history = np.frombuffer(self._read_history(), np.uint8)
            if self._workers.is_chief:
                self._checkpoints.write(
                    *position, values | {"seconds": self.seconds, "history": history}
                )
            self._saved, self._steps_saved = position, self.first_step
        if self._signal:
            self._workers.barrier()
            self._signals.release()
            raise Stopped(self._signal, *position)

    def _read_history(self):
        """Returns the history file's text; what others wrote does not come into a checkpoint."""
        self._check_files()
        before, self._history_text = self._history_text, self._history.read_bytes()
        rows = max(self._history_text.count(b"\n") - 1, 0)
        if rows != self.epoch or not self._history_text.startswith(before):
            raise OSError(f"{self._history} was rewritten while the run trained")
        return self._history_text

    def _of_all_workers(self, values):
        """Replaces this worker's copies of per-replica values by those of all replicas."""
        own = {name: copies for name, copies in values.items() if not name.startswith("same/")}
        workers = self._workers.gather(own)
        return values | {name: np.concatenate([each[name] for each in workers]) for name in own}

    def _restore(self, variables):
        for name, copies in variables.items():
            saved, replicas = self._values[name], len(copies) * self._workers.number
            if len(saved) != replicas:  # other number of replicas, or "same/"
                saved = _divided(saved, replicas) if name.startswith("metric/") else saved[:1]
            first = len(copies) * self._workers.index
            for number, copy in enumerate(copies, first):
                copy.assign(saved[number % len(saved)])

    def _check(self, variables):
        """Raises ValueError if the checkpoint is of another group, or this one is not all built."""
        shapes = {name: tuple(copies[0].shape) for name, copies in variables.items()}
        saved = {name: np.shape(self._values[name])[1:] for name in self._values if "/" in name}
        if shapes != saved:
            raise ValueError(
                "The checkpoint is not one of this model: their variables differ. The model, its "
                "optimizer and its metrics have to be built before `fit`."
            )

    def _state(self):
        """Returns the state of a group and its training: each variable's copies, by number.

        Not by path, because Keras names the layers of a second model differently. What is the same
        on every replica has one copy; BatchNorm's statistics and metrics have one per replica.
        """
        optimizers = getattr(self.model, "optimizers", {"": self.model.optimizer}).values()
        same = [*self.model.trainable_variables, *(v for o in optimizers for v in o.variables)]
        return {
            **{f"same/{i}": [variable] for i, variable in enumerate(same)},
            **self._numbered("own", self.model.non_trainable_variables),
            **self._numbered("metric", self._metric_variables()),
        }

    def _metric_variables(self):
        return [variable for metric in self._metrics for variable in metric.variables]

    def _numbered(self, kind, variables):
        copies = self.model.distribute_strategy.experimental_local_results
        return {f"{kind}/{i}": copies(variable.value) for i, variable in enumerate(variables)}


def _values(variables):
    convert = keras.ops.convert_to_numpy
    return {n: np.stack([convert(copy) for copy in copies]) for n, copies in variables.items()}


def _divided(copies, number):
    """Redistributes metrics, which are summed over replicas, to another number of replicas."""
    return np.stack([copies.sum(axis=0), *[np.zeros_like(copies[0])] * (number - 1)])
