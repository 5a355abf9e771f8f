"""Online role change: the passes and steps of a mini-batch, and what BatchNorm does in them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.devices import replicas
from helpers.networks import IMAGE_SHAPE, NUM_CLASSES, hidden_group_members, linear_network

import orc_keras


def test_what_batch_norm_does_while_a_member_teaches(examples):
    """Moving statistics of the pivot after one mini-batch without mixing; batch statistics or not.

    By hand: the pivot is a BatchNorm over the pixels, so its mini-batch is the image's own.
    """

    def pivot():
        images = keras.Input(IMAGE_SHAPE)
        flat = keras.layers.Flatten()(images)
        normalised = keras.layers.BatchNormalization(momentum=0.5)(flat)
        return keras.Model(images, keras.layers.Dense(NUM_CLASSES)(normalised), name="pivot")

    moved = {}
    for passes in ("training", "batch", "inference"):
        students = [linear_network("a"), linear_network("b", seed=1)]
        group = orc_keras.OnlineRoleChange(pivot(), students, mixup_alpha=0, teacher_bn_mode=passes)
        group.compile("sgd", run_eagerly=True)
        group.fit(*examples, batch_size=80, shuffle=False, verbose=0)
        moved[passes] = group.pivot.layers[2].moving_mean.numpy()
    mean = examples[0].reshape(80, -1).mean(axis=0)
    np.testing.assert_allclose(moved["training"], 0.75 * mean, atol=1e-5)  # two passes
    np.testing.assert_allclose(moved["batch"], 0.5 * mean, atol=1e-5)
    np.testing.assert_allclose(moved["inference"], 0.5 * mean, atol=1e-5)


def test_without_intensive_teaching_the_pivot_stays_as_it_is(examples):
    pivot = keras.Sequential(
        [linear_network("body"), keras.layers.BatchNormalization()], name="pivot"
    )
    before = pivot.get_weights()
    students = [linear_network("a"), linear_network("b", seed=1)]
    group = orc_keras.OnlineRoleChange(pivot, students, teachings=("private", "group"))
    group.compile("sgd", run_eagerly=True)
    history = group.fit(*examples, batch_size=40, verbose=0).history
    for now, then in zip(pivot.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert "intensive_teaching" not in history and "group_teaching" in history


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_batch_norm_of_a_temporary_teacher_does(examples, number):
    """`batch` computes what `training` does, but moves nothing; `inference` computes otherwise."""

    def trained(passes):
        with replicas(number).scope():
            pivot, *students = (
                keras.Sequential(
                    [linear_network(n, seed=i), keras.layers.BatchNormalization()], name=n
                )
                for i, n in enumerate(("pivot", "a", "b"))
            )
            group = orc_keras.OnlineRoleChange(
                pivot, students, teacher_bn_mode=passes, mixup_alpha=0, fixed_teacher="a"
            )
            group.compile("sgd", run_eagerly=True)
        group.fit(*examples, batch_size=40, shuffle=False, verbose=0)
        kernel, bias, *scale, mean, variance = group.members["a"].get_weights()
        return mean, group.members["b"].get_weights()[0]

    training, batch, inference = (trained(p) for p in ("training", "batch", "inference"))
    np.testing.assert_array_equal(training[1], batch[1])
    assert np.abs(training[1] - inference[1]).max() > 1e-4
    assert np.abs(training[0] - batch[0]).max() > 1e-4  # who taught


@keras.saving.register_keras_serializable("tests")
class CountingNetwork(keras.Model):
    """A linear classifier that counts its forward and backward passes as they are executed."""

    def __init__(self, name):
        super().__init__(name=name)
        self.dense = keras.layers.Dense(NUM_CLASSES)
        self.forward = tf.Variable(0, trainable=False)
        self.backward = tf.Variable(0, trainable=False)
        self(np.zeros((1, *IMAGE_SHAPE), np.float32))

    def call(self, images):
        self.forward.assign_add(1)

        @tf.custom_gradient
        def count_gradient(logits):
            def gradient(upstream):
                self.backward.assign_add(1)
                return upstream

            return tf.identity(logits), gradient

        return count_gradient(self.dense(keras.ops.reshape(images, (-1, 16))))


@pytest.mark.parametrize("temporary_teachers", [1, 2])
def test_what_a_mini_batch_costs(batches, temporary_teachers):
    """A student runs forward once, a temporary teacher and the pivot twice; backward all once."""
    pivot, *students = (CountingNetwork(name) for name in ("pivot", "a", "b", "c"))
    group = orc_keras.OnlineRoleChange(pivot, students, num_temporary_teachers=temporary_teachers)
    group.compile("sgd")
    for network in group.members.values():
        network.forward.assign(0)
        network.backward.assign(0)
    history = group.fit(batches, verbose=0).history
    assert pivot.forward.numpy() == 20
    for name, network in group.members.items():
        assert network.backward.numpy() == 10
        if network is not pivot:
            assert network.forward.numpy() == 10 + round(10 * history[f"{name}_taught"][0])


def test_each_member_takes_one_optimizer_step_a_mini_batch(batches):
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    group.compile("adam")
    group.fit(batches, epochs=2, verbose=0)
    assert [int(o.iterations.numpy()) for o in group.optimizers.values()] == [20] * 4
