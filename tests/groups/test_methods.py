"""The methods to compare with: their training against NumPy, on linear networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import reference
from helpers.devices import replicas
from helpers.networks import hidden_group_members, linear_network
from helpers.reference import cross_entropy_gradient, distillation_gradient

import orc_keras
from orc_keras.arguments import arguments_of
from orc_keras.groups import METHODS, losses, optimizers
from orc_keras.settings import Settings

SGD = {"learning_rate": 0.2, "momentum": 0.9, "l2": 0.01}
T, BETA = 3.0, 0.6


def alone(networks, x, y, sgd):
    for network in networks:
        network.apply_gradients(x, cross_entropy_gradient(y, network.logits(x)) / len(y), **sgd)


def learn_from(student, teachers, x, y, sgd, labels_weight):
    z = student.logits(x)
    gradient = labels_weight * cross_entropy_gradient(y, z)
    for teacher in teachers:
        gradient += BETA * distillation_gradient(z, teacher.logits(x), T)
    student.apply_gradients(x, gradient / len(y), **sgd)


def kd(networks, x, y, sgd):
    for student in networks[1:]:
        learn_from(student, networks[:1], x, y, sgd, 1 - BETA)


def dml(networks, x, y, sgd):
    """Algorithm 1: whoever has learnt shows its new predictions to those that follow."""
    for network in networks:
        z = network.logits(x)
        peers = [other.logits(x) for other in networks if other is not network]
        gradient = cross_entropy_gradient(y, z)
        gradient += sum(distillation_gradient(z, peer, 1.0) for peer in peers) / len(peers)
        network.apply_gradients(x, gradient / len(y), **sgd)


def kdcl(networks, x, y, sgd):
    z = np.stack([network.logits(x) for network in networks])
    teacher = np.empty(z.shape[1:])
    for sample, label in enumerate(y):
        for c in range(z.shape[2]):
            teacher[sample, c] = min(each[sample, c] - each[sample, label] for each in z)
    for network, zi in zip(networks, z):
        gradient = cross_entropy_gradient(y, zi) + distillation_gradient(zi, teacher, T)
        network.apply_gradients(x, gradient / len(y), **sgd)


def members_as_numpy(group):
    return [
        reference.LinearNetwork(*(w.astype(np.float64) for w in network.get_weights()))
        for network in group.members.values()
    ]


def mini_batches(examples):
    images, labels = examples
    for start in range(0, len(images), 8):
        part = slice(start, start + 8)
        yield images[part].reshape(8, -1).astype(np.float64), labels[part]


def check(group, expected):
    for network, numpy in zip(group.members.values(), expected, strict=True):
        kernel, bias = network.get_weights()
        np.testing.assert_allclose(kernel, numpy.weights, atol=2e-5, err_msg=network.name)
        np.testing.assert_allclose(bias, numpy.bias, atol=2e-5, err_msg=network.name)


def linear_group(kind, strategy, run_eagerly=True, **arguments):
    with strategy.scope():
        students = [linear_network(f"student{i}", seed=i) for i in (1, 2, 3)]
        group = kind(linear_network("pivot"), students, **arguments)
        group.compile(optimizers.L2SGD(**SGD), run_eagerly=run_eagerly)
    return group


@pytest.mark.parametrize(
    "kind, arguments, learn",
    [
        (orc_keras.Alone, {}, alone),
        (orc_keras.KnowledgeDistillation, dict(temperature=T, distillation_weight=BETA), kd),
        (orc_keras.MutualLearning, {}, dml),
        (orc_keras.CollaborativeLearning, dict(temperature=T), kdcl),
    ],
)
def test_against_numpy(few, strategy, kind, arguments, learn):
    """Four mini-batches: every member's weights are NumPy's, on one device and on two."""
    group = linear_group(kind, strategy, **arguments)
    networks = members_as_numpy(group)
    accuracy = np.zeros(4)
    for x, y in mini_batches(few):
        if learn is not kd:
            accuracy += [(network.logits(x).argmax(1) == y).mean() for network in networks]
        learn(networks, x, y, SGD)
    history = group.fit(*few, batch_size=8, shuffle=False, verbose=0).history
    check(group, networks)
    if learn is not kd:
        ours = [history[f"{name}_accuracy"][0] for name in group.members]
        np.testing.assert_allclose(ours, accuracy / 4, atol=1e-6)


@pytest.mark.parametrize(
    "kind, teachers_of",
    [
        (orc_keras.TeacherAssistants, lambda position: [position - 1]),
        (orc_keras.DenselyGuided, lambda position: range(position)),
    ],
)
def test_one_after_the_other_against_numpy(few, strategy, monkeypatch, kind, teachers_of):
    """Each stage trains one student, and nobody else; the second teacher of three is dropped."""
    arguments = dict(temperature=T, distillation_weight=BETA)
    group = linear_group(kind, strategy, **arguments)
    dense = kind is orc_keras.DenselyGuided
    dropped = 1 if dense else None
    keep = [tf.constant(float(i != dropped)) for i in range(3)]
    monkeypatch.setattr(orc_keras.DenselyGuided, "_survivors", lambda _, n: keep[:n])
    networks = members_as_numpy(group)
    assert list(group.stages) == ["pivot", "stage1", "stage2", "group"]
    for position, stage in enumerate(["stage1", "stage2", "group"], 1):
        teachers = teachers_of(position)
        labels_weight = (1 - BETA) * (len(teachers) if dense else 1)
        teachers = [networks[i] for i in teachers if i != dropped]
        for x, y in mini_batches(few):
            learn_from(networks[position], teachers, x, y, SGD, labels_weight)
        group.set_stage(stage)
        history = group.fit(*few, batch_size=8, shuffle=False, verbose=0).history
        check(group, networks)
        later = group.student_names[position:]
        assert not any(name.startswith(tuple(later)) for name in history)
        assert ("loss" in history) == (stage == "group")


def test_how_often_a_teacher_is_dropped():
    """A quarter of the draws, for each teacher by itself, and others with another seed."""
    drawn = {}
    for seed in (0, 1):
        group = linear_group(orc_keras.DenselyGuided, tf.distribute.get_strategy(), seed=seed)
        draws = [tf.stack(group._survivors(3)).numpy() for _ in range(1000)]
        drawn[seed] = np.array(draws)
        np.testing.assert_allclose(drawn[seed].mean(axis=0), 0.75, atol=0.045)
        correlation = np.corrcoef(drawn[seed].T) - np.eye(3)
        assert np.abs(correlation).max() < 0.11
    assert (drawn[0] != drawn[1]).any()


def test_replicas_drop_the_same_teachers(few):
    """Two replicas compute what one does, the dropping included."""
    weights = []
    for number in (1, 2):
        group = linear_group(orc_keras.DenselyGuided, replicas(number), seed=5)
        group.set_stage("group")
        group.fit(*few, batch_size=8, shuffle=False, verbose=0)
        weights.append(group.student.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_dropping_every_teacher_leaves_the_labels(examples, monkeypatch):
    labels, z = examples[1][:8], np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    group = linear_group(orc_keras.DenselyGuided, tf.distribute.get_strategy())
    monkeypatch.setattr(group, "_survivors", lambda n: [tf.zeros([])] * n)
    per_sample_loss = group.per_sample_loss(labels, tf.constant(z), [tf.constant(-z)] * 2)
    expected = 2 * (1 - group.distillation_weight) * reference.cross_entropy(labels, z)
    np.testing.assert_allclose(per_sample_loss, expected, rtol=1e-5)


def test_smallest_logits_favour_the_true_class():
    z = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 0, 1])
    joined = losses.min_logit_ensemble(labels, list(z)).numpy()
    ours = reference.cross_entropy(labels, joined)
    theirs = [reference.cross_entropy(labels, each) for each in z]
    assert (ours <= np.min(theirs, axis=0) + 1e-6).all()
    assert joined.shape == (6, 4)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "orc"])
def test_a_saved_group_is_the_same_method(name, examples, tmp_path):
    kind, arguments = METHODS[name], arguments_of(METHODS[name])
    given = {"temperature": 2.0, "distillation_weight": 0.25, "seed": 3}
    given |= {"survival_probability": 0.5}
    group = kind(*hidden_group_members(), **{a: given[a] for a in arguments})
    group.compile("sgd", run_eagerly=True)
    group.fit(*examples, batch_size=80, verbose=0)
    group.save(tmp_path / "group.keras")
    loaded = keras.models.load_model(tmp_path / "group.keras")
    assert type(loaded) is kind
    assert all(getattr(loaded, a) == given[a] for a in arguments)
    np.testing.assert_array_equal(loaded.predict(examples[0], verbose=0),
                                  group.predict(examples[0], verbose=0))  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_given_the_settings_that_are_its_own(name):
    given = dict(temperature=2.0, distillation_weight=0.25, seed=3, feedback="training")
    settings = Settings(dataset="digits", pivot="a", students=("b", "c"), method=name, **given)
    method = METHODS[settings.method]
    group = method(*hidden_group_members(), **settings.arguments(method))
    kind, arguments = METHODS[name], arguments_of(METHODS[name])
    assert type(group) is kind
    assert all(getattr(group, a) == getattr(settings, a) for a in arguments)
    assert {a for a in given if hasattr(group, a)} == set(given) & set(arguments)


def test_teachers_run_in_inference_mode(examples):
    """A teacher that has finished learning is as it was, BatchNorm's statistics included."""
    pivot = keras.Sequential(
        [linear_network("body"), keras.layers.BatchNormalization()], name="pivot"
    )
    before = pivot.get_weights()
    group = orc_keras.KnowledgeDistillation(pivot, [linear_network("a"), linear_network("b")])
    group.compile("sgd", run_eagerly=True)
    group.fit(*examples, verbose=0)
    for now, then in zip(pivot.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
