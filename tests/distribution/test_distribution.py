"""Several replicas, on logical CPU devices, compute what one does."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.devices import replicas
from helpers.networks import IMAGE_SHAPE, hidden_group_members, normalised_members

import orc_keras
from orc_keras import data
from orc_keras.data import ImageData
from orc_keras.distribution import strategies
from orc_keras.distribution.strategies import Replicas
from orc_keras.distribution.workers import Workers
from orc_keras.groups import optimizers
from orc_keras.groups.base_model import GroupModel


@pytest.mark.slow
def test_replicas_compute_what_one_device_does(batches):
    """Ten mini-batches in a graph: weights, metrics, roles; feedback alone is each replica's own.

    With BatchNorms that are synchronised; the others' members are compared with NumPy.
    """

    def train(strategy):
        with strategy.scope():
            members = normalised_members(synchronized=True)
            group = orc_keras.OnlineRoleChange(*members, mixup_alpha=0)
            group.compile(optimizers.L2SGD(0.3, momentum=0.9, l2=1e-3))
        history = group.fit(batches, verbose=0, shuffle=False).history
        return group.get_weights(), history

    (one, of_one), (two, of_two) = train(replicas(1)), train(replicas(2))
    shares = [of_one[key] for key in of_one if key.endswith("taught")]
    assert sum(share[0] > 0 for share in shares) >= 2, "the example should change roles"
    for ours, theirs in zip(two, one, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    for key in of_one:
        assert of_two[key] == pytest.approx(of_one[key], abs=1e-4), key


def test_batch_norms_that_keras_synchronises_are_refused():
    with replicas(2).scope():
        pivot, students = hidden_group_members()
        images = keras.Input(IMAGE_SHAPE)
        x = keras.layers.BatchNormalization(synchronized=True, name="own")(images)
        own = keras.Model(images, keras.layers.Dense(5)(keras.layers.Flatten()(x)), name="mine")
        group = orc_keras.OnlineRoleChange(pivot, [*students, own])
    with pytest.raises(ValueError, match="mine has own, a BatchNormalization that Keras cannot"):
        group.compile("sgd")


def test_uneven_parts_of_a_mini_batch_count_by_their_size(examples):
    """Seven images are four on one replica and three on the other: the mean is over seven."""
    images, labels = (each[:15] for each in examples)  # and a last one, of which a replica has none

    def train(number):
        with replicas(number).scope():
            group = orc_keras.OnlineRoleChange(*hidden_group_members(), mixup_alpha=0)
            group.compile(keras.optimizers.SGD(0.3), run_eagerly=True)
        history = group.fit(images, labels, batch_size=7, shuffle=False, verbose=0).history
        return group.get_weights(), history

    (one, of_one), (two, of_two) = train(1), train(2)
    for ours, theirs in zip(two, one, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for key in of_one:
        assert of_two[key] == pytest.approx(of_one[key], abs=1e-5), key


@pytest.mark.parametrize("number, resized", [(1, False), (2, True), (4, False)])
def test_evaluation_counts_every_image_once(number, resized):
    """At any number of images and size of mini-batches: sums over images tell them apart."""
    strategy = replicas(number)
    with strategy.scope():
        images = keras.Input((2, 2, 1))
        alone = Single(images, keras.layers.Dense(2)(keras.layers.Flatten()(images)))
        keras.Model.compile(alone, "sgd", _label, weighted_metrics=[_label])
    for count, batch_size in [(1, 4), (3, 4), (5, 4), (17, 8), (8, 12)]:
        labels = np.arange(count) ** 3 % 101
        pixels = data.PixelImages(np.zeros((count, 2, 2, 1), np.uint8), labels)
        names = tuple(map(str, range(101)))
        shown = ImageData(pixels, pixels, names, (2, 2, 1), (0.5,), (0.5,), "none", resized)
        batches = functools.partial(data.held_out_batches, shown, batch_size)
        held_out = strategies.distribute(strategy, batches)
        steps = -(-count // batch_size)
        _, result = alone.evaluate(held_out, steps=steps, verbose=0)
        assert result == pytest.approx(labels.mean(), rel=1e-6), (count, batch_size)


class Single(GroupModel):
    """A network by itself, which is evaluated as a group is."""

    def __init__(self, images, logits):
        super().__init__()
        self.student = keras.Model(images, logits)
        self.learners = self.student_names = ("single",)
        self.built = True


def _label(labels, logits):
    return tf.cast(labels, tf.float32) + 0 * logits[:, 0]


def test_a_last_mini_batch_smaller_than_the_replicas_harms_nothing(examples):
    """Of BatchNorms in evaluation: three images for four replicas."""
    images, labels = (each[:11] for each in examples)
    results = []
    for number in (1, 4):
        with replicas(number).scope():
            pivot, students = normalised_members(synchronized=False)
            group = orc_keras.OnlineRoleChange(pivot, students)
            group.compile("sgd", run_eagerly=True)
        results.append(group.evaluate(images, labels, batch_size=8, verbose=0))
        assert all(np.isfinite(weight).all() for weight in group.get_weights())
    assert results[1] == pytest.approx(results[0], abs=1e-5)


def test_replicas_get_their_parts_of_the_same_mini_batches():
    """With the same augmentation; of two processes with two replicas each."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 3, 3, 1)).astype(np.uint8)
    images = data.PixelImages(pixels, np.arange(40))
    names = tuple(map(str, range(40)))
    shown = ImageData(images, images, names, (3, 3, 1), (0.5,), (0.5,), "crop_and_flip")

    def parts(replicas):
        batches = data.train_batches(shown, 8, seed=3, first_step=2, replicas=replicas)
        return list(batches.take(6 * replicas.local).as_numpy_iterator())

    first, second = (parts(Replicas(first, local=2, total=4)) for first in (0, 2))
    for step, whole in enumerate(parts(Replicas())):
        here = slice(2 * step, 2 * step + 2)
        for together, expected in zip(zip(*first[here], *second[here]), whole):
            np.testing.assert_array_equal(np.concatenate(together), expected)
    with pytest.raises(ValueError, match="batch_size=8 is not divisible by 3 replicas"):
        data.train_batches(shown, 8, seed=3, replicas=Replicas(0, 3, 3))


def test_strategies():
    assert strategies.choose("one_device").num_replicas_in_sync == 1
    assert strategies.choose("auto").num_replicas_in_sync == 1  # there is no GPU
    assert strategies.choose("mirrored").num_replicas_in_sync == 4
    with pytest.raises(ValueError, match="needs the environment variable TF_CONFIG"):
        strategies.choose("multi_worker")


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        '{"cluster": {}}',
        '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_tf_config_of_one_machine_changes_nothing(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    assert strategies.choose("auto") is tf.distribute.get_strategy()


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "7",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_a_wrong_tf_config(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="TF_CONFIG must be like"):
        strategies.choose("auto")


def test_what_is_wrong_is_said_also_when_another_worker_has_left(monkeypatch):
    workers, waited = Workers(tf.distribute.get_strategy()), []

    def lost(number):
        waited.append(number)
        raise tf.errors.UnavailableError(None, None, "gone")

    def wrong():
        raise ValueError("other flags")

    monkeypatch.setattr(workers, "max", lost)
    with pytest.raises(ValueError, match="other flags"):
        workers.run_on_all(wrong)
    assert waited, "it would have ended at once"
