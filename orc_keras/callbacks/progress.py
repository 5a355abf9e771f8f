"""A progress bar that stays readable with many members."""

import keras


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
        learner = getattr(self.model, "learners", ("",))[-1]
        of_student = learner in ("", getattr(self.model, "student_names", [""])[-1])
        prefix = "" if of_student else f"{learner}_"
        names = [f"{when}{prefix}{q}" for when in ("", "val_") for q in ("accuracy", "loss")]
        return {name: logs[name] for name in names if name in (logs or {})}
