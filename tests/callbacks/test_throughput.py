"""How fast a training is, and how long it waits, by a clock of the test's own."""

import types

import keras
import pytest
import tensorflow as tf
from helpers.networks import hidden_group_members

from orc_keras import callbacks


@pytest.mark.parametrize("slow", ["input", "step"])
def test_waiting_is_for_input_only(examples, monkeypatch, slow):
    """Twenty mini-batches; either each takes 50 ms to come, or each step 50 ms after it has."""
    now = 0.0

    def pass_time(x):
        nonlocal now
        now += 0.05
        return x

    def as_tensor():
        return tf.ensure_shape(tf.numpy_function(lambda: now, [], tf.float64), [])

    monkeypatch.setattr(callbacks.throughput, "_clock", lambda: as_tensor)
    watch = types.SimpleNamespace(perf_counter=lambda: now)
    monkeypatch.setattr(callbacks.throughput, "time", watch)

    def slowly(labels):
        return tf.ensure_shape(tf.numpy_function(pass_time, [labels], tf.int32), labels.shape)

    class SlowStep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            pass_time(batch)

    batches = tf.data.Dataset.from_tensor_slices(examples).batch(4)
    if slow == "input":
        batches = batches.map(lambda x, y: (x, slowly(y)))
    network = hidden_group_members()[0]
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    throughput = callbacks.Throughput()
    steps = [SlowStep()] if slow == "step" else []
    fit = dict(epochs=2, verbose=0, callbacks=[throughput, *steps], validation_data=examples)
    history = network.fit(throughput.time_dataset(batches), **fit).history
    for waiting, rate in zip(history["seconds_waiting"], history["images_per_second"]):
        assert waiting == pytest.approx(1 if slow == "input" else 0)
        assert rate == pytest.approx(80, rel=0.06)  # the first mini-batch may be drawn before


def test_an_epoch_without_a_mini_batch(batches):
    network = hidden_group_members()[0]
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    throughput = callbacks.Throughput()
    every = [throughput, callbacks.StopOnNonFiniteLoss()]
    with pytest.warns(UserWarning, match="ran out of data"):
        history = network.fit(
            throughput.time_dataset(batches.take(0)), verbose=0, callbacks=every
        ).history
    assert history["images_per_second"] == [0]


def test_images_are_counted_in_any_structure(batches):
    """In dictionaries, and without labels."""
    for named in (
        batches.map(lambda x, y: {"images": x, "labels": y}),
        batches.map(lambda x, _: x),
    ):
        throughput = callbacks.Throughput()
        for batch in throughput.time_dataset(named):
            assert type(batch) is type(next(iter(named)))
        logs = {}
        throughput.on_epoch_begin(0)
        throughput._end += 1
        throughput.on_epoch_end(0, logs)
        assert logs["images_per_second"] == pytest.approx(80)
