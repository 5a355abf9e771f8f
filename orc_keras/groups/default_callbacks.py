"""The callbacks that a group adds to its own `fit` and `evaluate`."""

import keras

ONE_STAGE = (
    keras.callbacks.BackupAndRestore,
    keras.callbacks.EarlyStopping,
    keras.callbacks.ReduceLROnPlateau,
)


def default_callbacks(callbacks):
    """Returns callbacks, with a check for empty data, and a progress bar unless there is one.

    Keras knows only of metrics that were given to `compile` whether more is better, so callbacks
    that monitor an accuracy or a loss are told.

    Args:
        callbacks: the argument of `fit` or `evaluate`.

    Raises:
        ValueError: if one of them is not a callback.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):  # the enclosing `fit`'s
        return callbacks
    callbacks = keras.tree.flatten(callbacks) if callbacks else []
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be keras.callbacks.Callback, not {callback!r}.")
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and getattr(callback, "mode", "") == "auto":
            quantity = monitor.rpartition("_")[-1]
            callback.mode = {"accuracy": "max", "loss": "min"}.get(quantity, "auto")
    has_bar = any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in callbacks)
    return [NonEmptyData(), *callbacks, *([] if has_bar else [StudentProgress()])]


def check_for_several_stages(callbacks, stages):
    """Refuses callbacks that take one stage for another where `fit` trains several.

    Args:
        callbacks: the argument of `fit`. Those of our own have `follows_one_stage`.
        stages: the names of the stages.
    """
    for callback in keras.tree.flatten(callbacks or []):
        if isinstance(callback, ONE_STAGE) or getattr(callback, "follows_one_stage", False):
            raise ValueError(
                f"{type(callback).__name__} cannot follow the stages {', '.join(stages)} in one "
                "fit; for each of them, call set_stage and then fit with a new one."
            )


class NonEmptyData(keras.callbacks.Callback):
    """Refuses data without a mini-batch, on which Keras would "succeed".

    Raises:
        ValueError: from `fit` and `evaluate`, in that case.
    """

    def on_train_begin(self, logs=None):
        self._has_trained = False

    def on_train_batch_end(self, batch, logs=None):
        self._has_trained = True

    def on_epoch_end(self, epoch, logs=None):
        if not self._has_trained:
            raise ValueError("There is nothing to learn from: the data have no mini-batch.")

    def on_test_begin(self, logs=None):
        self._has_tested = False

    def on_test_batch_end(self, batch, logs=None):
        self._has_tested = True

    def on_test_end(self, logs=None):
        if not self._has_tested:
            raise ValueError("There is nothing to evaluate on: the data have no mini-batch.")


class StudentProgress(keras.callbacks.ProgbarLogger):
    """Keras's progress bar with the metrics of the student only, not of every member.

    In a stage in which the student does not learn, it shows the last learner's.
    """

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, self._student_logs(logs))

    def on_test_batch_end(self, batch, logs=None):
        super().on_test_batch_end(batch, self._student_logs(logs))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, self._student_logs(logs))

    def on_test_end(self, logs=None):
        super().on_test_end(self._student_logs(logs))

    def _student_logs(self, logs):
        return _of_learner(self.model, logs)[1]


def student_logs(group, logs):
    """Returns accuracy and loss of the last learner, and the same held out (`val_`), of logs."""
    prefix, shown = _of_learner(group, logs)
    return {name.replace(prefix, "", 1): float(value) for name, value in shown.items()}


def _of_learner(group, logs):
    """Returns the prefix of the last learner's metrics, none for *the* student; and these."""
    logs = logs or {}
    learner = group.learners[-1]
    is_student = learner == group.student_names[-1]
    prefix = "" if is_student or f"{learner}_loss" not in logs else f"{learner}_"
    names = [f"{when}{prefix}{q}" for when in ("", "val_") for q in ("accuracy", "loss")]
    return prefix, {name: logs[name] for name in names if name in logs}
