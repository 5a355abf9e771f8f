import keras
import numpy as np
import pytest
from helpers.networks import hidden_group_members

import orc_keras


def test_each_member_learns_as_if_by_itself(examples):
    """What Keras's own `fit` does with each of the networks, one after the other."""
    fit = dict(batch_size=20, epochs=2, shuffle=False, verbose=0)
    pivot, students = hidden_group_members()
    group = orc_keras.Alone(pivot, students[:1])
    group.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    history = group.fit(*examples, validation_data=examples, **fit).history
    pivot, students = hidden_group_members()
    for network in (pivot, students[0]):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(
            keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"], run_eagerly=True
        )
        expected = network.fit(*examples, validation_data=examples, **fit).history
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            prefix = "val_" if name.startswith("val") else ""
            ours = history[f"{prefix}{network.name}_{name.removeprefix('val_')}"]
            assert ours == pytest.approx(expected[name], rel=1e-4), name
        ours = group.members[network.name].get_weights()
        for weights, reference in zip(ours, network.get_weights(), strict=True):
            np.testing.assert_allclose(weights, reference, atol=1e-5)
    assert not any(name.endswith("taught") for name in history)
