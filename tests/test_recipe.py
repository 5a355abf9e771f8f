"""The recipe: learning rates by epoch, weights of classes, clipped gradients, smoothed labels."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.devices import replicas
from helpers.networks import hidden_group_members
from scipy.special import log_softmax

import orc_keras
from orc_keras import recipe
from orc_keras.groups import losses
from orc_keras.settings import Settings


def settings(**given):
    few = dict(dataset="digits", pivot="resnet8", students=("resnet8",) * 2, decay_epochs=(3, 5))
    return Settings(**few | {"learning_rate": 0.1} | given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.001]),
        ({"decay_epochs": (0.5, 5)}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.001]),
        ({"warmup_epochs": 2}, [0.1 / 3, 0.2 / 3, 0.1, 0.01, 0.01, 0.001]),
        ({"schedule": "cosine"}, 0.05 * (1 + np.cos(np.pi * np.arange(6) / 6))),
        (
            {"schedule": "cosine", "warmup_epochs": 1},
            [0.05, *(0.05 * (1 + np.cos(np.pi * np.arange(5) / 5)))],
        ),
    ],
)
def test_learning_rates(given, expected):
    factor = recipe.learning_rate_multiplier(**{"decay_epochs": (3, 5)} | given, epochs=6)
    assert [0.1 * factor(epoch) for epoch in range(6)] == pytest.approx(expected)


@pytest.mark.parametrize(
    "epochs, decays",
    [
        (240, [150, 180, 210]),  # the paper's
        (100, [62, 75, 87]),
        (50, [31, 37, 44]),
        (12, [7, 9, 10]),
        (4, [2, 3]),  # of 2.5, 3 and 3.5
        (1, []),
    ],
)
def test_decays_follow_the_epochs_of_a_stage(epochs, decays):
    factor = recipe.learning_rate_multiplier(epochs=epochs)
    exponents = [round(-np.log10(factor(epoch))) for epoch in range(epochs)]
    assert exponents == [sum(epoch >= decay for decay in decays) for epoch in range(epochs)]
    constant = recipe.learning_rate_multiplier(decay_epochs=(), epochs=epochs)
    assert {constant(epoch) for epoch in range(epochs)} == {1}


def test_a_warm_up_ends_before_the_training():
    with pytest.raises(ValueError, match="--warmup_epochs=6 must be below --epochs=6"):
        settings(epochs=6, warmup_epochs=6)


def test_balanced_classes_weigh_the_same_together():
    labels = tf.constant([0, 0, 0, 0, 2, 2, 3, 3])
    images = types.SimpleNamespace(train=types.SimpleNamespace(labels=labels), num_classes=4)
    weights = recipe.class_weights("balanced", images=images)
    assert weights.tolist() == pytest.approx([8 / 12, 0, 8 / 6, 8 / 6])
    images.train.labels = None
    with pytest.raises(ValueError, match="needs labels that are known before images are read"):
        recipe.class_weights("balanced", images=images)


def test_gradients_are_clipped_by_their_norm(few):
    """A plain SGD step of rate 1 then has that length, for each member."""
    group = orc_keras.Alone(*hidden_group_members())
    recipe_ = dict(learning_rate=1.0, momentum=0.0, weight_decay=0.0, clip_norm=0.01)
    group.compile(recipe.make_optimizer(**recipe_))
    before = {name: network.get_weights() for name, network in group.members.items()}
    group.fit(*few, batch_size=32, verbose=0)
    for name, network in group.members.items():
        moved = [a - b for a, b in zip(network.get_weights(), before[name])]
        norm = np.sqrt(sum((each**2).sum() for each in moved))
        assert norm == pytest.approx(0.01, rel=1e-3), name
    with replicas(2).scope():
        group = orc_keras.Alone(*hidden_group_members())
        with pytest.raises(ValueError, match="clipped on one device, not on 2 replicas"):
            group.compile(recipe.make_optimizer(clip_norm=0.01))


def test_adamw(few):
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    group.compile(recipe.make_optimizer("adamw", weight_decay=0.1))
    group.fit(*few, verbose=0)
    assert all(type(each) is keras.optimizers.AdamW for each in group.optimizers.values())
    assert all(each.weight_decay == 0.1 for each in group.optimizers.values())


def test_smoothed_labels():
    logits = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    labels = np.array([0, 2, 3])
    target = 0.8 * np.eye(4)[labels] + 0.2 / 4
    expected = -(target * log_softmax(logits, axis=1)).sum(axis=1)
    found = losses.cross_entropy(labels, logits, smoothing=0.2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("method", [orc_keras.OnlineRoleChange, orc_keras.KnowledgeDistillation])
def test_groups_learn_from_smoothed_labels(few, tmp_path, method):
    """Without teachers' weight, like a plain network; and so does a group loaded from a file."""
    pivot, students = hidden_group_members()
    group = method(pivot, students, distillation_weight=0.0)
    group.compile(keras.optimizers.SGD(0.1), label_smoothing=0.2)
    group.save(tmp_path / "group.keras")
    plain = hidden_group_members()[1][-1]
    smoothed = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    plain.compile(keras.optimizers.SGD(0.1), smoothed)
    images, labels = few
    plain.fit(images, np.eye(5)[labels], batch_size=8, shuffle=False, verbose=0)
    for each in (group, keras.saving.load_model(tmp_path / "group.keras")):
        each.fit(images, labels, batch_size=8, shuffle=False, verbose=0)
        for ours, theirs in zip(each.student.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
