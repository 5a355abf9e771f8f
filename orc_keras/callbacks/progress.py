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
