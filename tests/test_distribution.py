import keras
import numpy as np
import pytest
import tensorflow as tf
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
    images, labels = (tf.constant(each[:7]) for each in examples)

    def weights(strategy, parts):
        with strategy.scope():
            group = orc_keras.OnlineRoleChange(*hidden_group_members(), mixup_alpha=0)
            group.compile(keras.optimizers.SGD(0.3))
        batch = strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )
        step = tf.function(lambda: strategy.run(group.train_step, (batch,)))
        step()
        step()
        return group.get_weights()

    one = weights(distribution.strategy("one_device"), [(images, labels)])
    two = weights(
        distribution.strategy("mirrored"),
        [(images[:4], labels[:4]), (images[4:], labels[4:])],
    )
    for ours, theirs in zip(two, one, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_strategies():
    assert distribution.strategy("one_device").num_replicas_in_sync == 1
    assert distribution.strategy("auto").num_replicas_in_sync == 1  # there is no GPU
    assert distribution.strategy("mirrored").num_replicas_in_sync == 2
