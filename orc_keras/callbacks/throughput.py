"""The speed of training, and the time that steps wait for images."""

import time

import keras
import tensorflow as tf


class Throughput(keras.callbacks.Callback):
    """Adds `images_per_second` and `seconds_waiting` of each epoch's training to its logs.

    They are this process's, without evaluation. `seconds_waiting` is the time that steps wait for
    their mini-batch; with several devices, where a thread prefetches, an upper bound. Put the
    callback before those that write logs, and after those whose output must be repeatable.

    Examples:
        >>> throughput = Throughput()
        >>> batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
        >>> network = models.build("resnet8", (8, 8, 1), 10)
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> network.compile("sgd", loss)
        >>> timed = throughput.time_dataset(batches)
        >>> history = network.fit(timed, verbose=0, callbacks=[throughput])
        >>> sorted(history.history)
        ['images_per_second', 'loss', 'seconds_waiting']
    """

    def __init__(self):
        super().__init__()
        with tf.device("CPU"):  # where tf.data works
            self._images_and_seconds = tf.Variable(tf.zeros(2, tf.float64), trainable=False)

    def time_dataset(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the dataset, which then counts its images and the time that they take."""
        now = _clock()
        clock = tf.data.Dataset.counter().map(lambda _: now())

        def count(requested, batch):
            images = tf.cast(tf.shape(tf.nest.flatten(batch)[0])[0], tf.float64)
            self._images_and_seconds.assign_add([images, now() - requested])
            return batch

        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False  # it would request early
        return tf.data.Dataset.zip(clock, dataset).map(count).with_options(options)

    def on_train_begin(self, logs=None):
        self._images_and_seconds.assign([0.0, 0.0])

    def on_epoch_begin(self, epoch, logs=None):
        self._start = self._end = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._end = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        images, waiting = self._images_and_seconds.numpy()
        seconds = self._end - self._start
        rate = float(images) / seconds if seconds else 0.0
        if logs is not None:
            logs |= {"images_per_second": rate, "seconds_waiting": float(waiting)}
        # Now: Keras may draw the next epoch's first mini-batch early.
        self._images_and_seconds.assign([0.0, 0.0])


def _clock():
    """Returns a function that returns the time in seconds, a float64 tensor."""
    try:
        tf.timestamp()
        return tf.timestamp
    except tf.errors.FailedPreconditionError:  # under op determinism
        return lambda: tf.ensure_shape(tf.numpy_function(time.time, [], tf.float64), [])
