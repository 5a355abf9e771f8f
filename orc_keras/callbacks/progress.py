"""A progress bar that stays readable with many members."""

import keras


class StudentProgress(keras.callbacks.ProgbarLogger):
    """Keras's progress bar with the student's numbers only, in place of every member's."""

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, _of_student(logs))

    def on_test_batch_end(self, batch, logs=None):
        super().on_test_batch_end(batch, _of_student(logs))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, _of_student(logs))

    def on_test_end(self, logs=None):
        super().on_test_end(_of_student(logs))


def _of_student(logs):
    shown = ("accuracy", "loss", "val_accuracy", "val_loss")
    return {name: logs[name] for name in shown if name in (logs or {})}


def with_progress(callbacks):
    """Adds a progress bar of the student's numbers, unless there is a bar already."""
    if isinstance(callbacks, keras.callbacks.CallbackList):  # of the `fit` that is evaluating
        return callbacks
    callbacks = keras.tree.flatten(callbacks) if callbacks else []
    if any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in callbacks):
        return callbacks
    return [*callbacks, StudentProgress()]
