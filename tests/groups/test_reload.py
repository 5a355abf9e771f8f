"""A group that is loaded from its file goes on as if it had never been saved."""

import keras
import numpy as np
import pytest
from helpers.devices import replicas
from helpers.networks import normalised_members

import orc_keras
from orc_keras.models.normalization import BatchNormalization


def trained_group(examples, synchronized=False):
    pivot, students = normalised_members(synchronized)
    group = orc_keras.OnlineRoleChange(pivot, students, mixup_alpha=0)
    group.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=True)
    group.fit(*examples, batch_size=40, shuffle=False, verbose=0)
    return group


def batch_norms(network):
    return [each for each in network.layers if isinstance(each, keras.layers.BatchNormalization)]


def test_it_trains_on_to_the_same_weights(examples, tmp_path):
    """By the same layers, and so at the same speed; to the bit."""
    group = trained_group(examples)
    group.save(tmp_path / "group.keras")
    loaded = keras.saving.load_model(tmp_path / "group.keras")
    for each in (group, loaded):
        each.fit(*examples, batch_size=40, shuffle=False, verbose=0)
    layers = batch_norms(loaded.student)
    assert layers and all(type(layer) is BatchNormalization for layer in layers)
    for ours, theirs in zip(loaded.get_weights(), group.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_a_synchronised_one_trains_on_two_replicas(examples, tmp_path):
    """As on one: without mix-up, since the feedback is of each replica's own images."""
    group = trained_group(examples, synchronized=True)
    group.save(tmp_path / "group.keras")
    weights = []
    for number in (1, 2):
        with replicas(number).scope():
            loaded = keras.saving.load_model(tmp_path / "group.keras")
        assert all(layer.synchronized for layer in batch_norms(loaded.student))
        loaded.fit(*examples, batch_size=40, shuffle=False, verbose=0)
        weights.append(loaded.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
