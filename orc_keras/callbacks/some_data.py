"""Refuses to learn from nothing, and to be evaluated on nothing."""

import keras


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
