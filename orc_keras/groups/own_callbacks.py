"""The callbacks that a group brings to its own `fit` and `evaluate`."""

import keras


def with_own(callbacks):
    """Adds what a group needs: a look at whether there are data, and a progress bar of the
    student's numbers, unless there is a bar already.

    Args:
        callbacks: what `fit` and `evaluate` are given.

    Raises:
        ValueError: if one of them is none.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):  # of the `fit` that is evaluating
        return callbacks
    callbacks = keras.tree.flatten(callbacks) if callbacks else []
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be keras.callbacks.Callback, not {callback!r}.")
    has_bar = any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in callbacks)
    return [SomeData(), *callbacks, *([] if has_bar else [StudentProgress()])]


class SomeData(keras.callbacks.Callback):
    """Ends a training or an evaluation whose data have no mini-batch; Keras's would "succeed".

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
    """Keras's progress bar with the student's numbers only, in place of every member's.

    In a stage in which other members learn, it is the numbers of the last one of these.
    """

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, self._shown(logs))

    def on_test_batch_end(self, batch, logs=None):
        super().on_test_batch_end(batch, self._shown(logs))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, self._shown(logs))

    def on_test_end(self, logs=None):
        super().on_test_end(self._shown(logs))

    def _shown(self, logs):
        learner = self.model.learners[-1]
        is_student = learner == self.model.student_names[-1]
        prefix = "" if is_student or f"{learner}_loss" not in (logs or {}) else f"{learner}_"
        names = [f"{when}{prefix}{q}" for when in ("", "val_") for q in ("accuracy", "loss")]
        return {name: logs[name] for name in names if name in (logs or {})}
