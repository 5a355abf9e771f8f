import keras
import numpy as np
import pytest
from conftest import hidden_group_members

import orc_keras
from orc_keras import distribution, optimizers


@pytest.mark.parametrize("temporary_teachers", [1, 2])
def test_two_replicas_compute_what_one_device_does(batches, temporary_teachers):
    """Ten mini-batches: weights, metrics and roles."""

    def train(strategy):
        with strategy.scope():
            group = orc_keras.OnlineRoleChange(
                *hidden_group_members(), mixup_alpha=0, temporary_teachers=temporary_teachers
            )
            group.compile(optimizers.L2SGD(0.3, momentum=0.9, l2=1e-3))
        history = group.fit(batches, verbose=0, shuffle=False).history
        return group.get_weights(), history

    one, of_one = train(distribution.strategy("one_device"))
    two, of_two = train(distribution.strategy("mirrored"))
    shares = [of_one[key] for key in of_one if key.endswith("taught")]
    assert sum(share[0] > 0 for share in shares) >= 2, "the example should change roles"
    for ours, theirs in zip(two, one, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for key in of_one:
        assert of_two[key] == pytest.approx(of_one[key], abs=1e-5), key


def test_uneven_parts_of_a_mini_batch_count_by_their_size(examples):
    """Seven images are four on one replica and three on the other: the mean is over seven."""
    images, labels = (each[:18] for each in examples)  # and a last mini-batch of 2 + 2

    def weights(name):
        strategy = distribution.strategy(name)
        with strategy.scope():
            group = orc_keras.OnlineRoleChange(*hidden_group_members(), mixup_alpha=0)
            group.compile(keras.optimizers.SGD(0.3))
        group.fit(images, labels, batch_size=7, shuffle=False, verbose=0)
        return group.get_weights()

    for ours, theirs in zip(weights("mirrored"), weights("one_device"), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_strategies():
    assert distribution.strategy("one_device").num_replicas_in_sync == 1
    assert distribution.strategy("auto").num_replicas_in_sync == 1  # there is no GPU
    assert distribution.strategy("mirrored").num_replicas_in_sync == 2
