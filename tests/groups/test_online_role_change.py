import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import reference
from helpers.networks import linear_network

import orc_keras
from orc_keras.groups import feedback, optimizers


def _linear_group(students=3, **arguments):
    return orc_keras.OnlineRoleChange(
        linear_network("pivot"),
        [linear_network(f"student{i}", seed=i) for i in range(1, students + 1)],
        **arguments,
    )


@pytest.mark.parametrize("temporary_teachers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_train_step_against_numpy(examples, monkeypatch, temporary_teachers, strategy):
    """Five mini-batches, momentum and L2 included: every member's weights are NumPy's.

    On two replicas feedback comes from each replica's own part of the batch, so there the
    comparison is without mixing.
    """
    ratio = 0.3 if strategy.num_replicas_in_sync == 1 else 1.0
    taught = _check_against_numpy(examples, monkeypatch, strategy, ratio, temporary_teachers)
    assert (taught > 0).sum() > 1, "the example should change roles"


@pytest.mark.parametrize(
    "arguments, expected, ratio",
    [
        ({"teachings": ()}, {"teachings": ()}, 0.3),
        ({"teachings": ("private",)}, {"teachings": ("private",)}, 0.3),
        ({"teachings": ("intensive", "group")}, {"teachings": ("intensive", "group")}, 0.3),
        ({"teacher_aggregation": "ensemble"}, {"ensemble": True}, 0.3),
        ({"fixed_teacher": "student3"}, {"fixed": 2}, 0.3),
        ({"feedback": "training"}, {}, 1.0),
        ({"feedback": "feedback"}, {}, 0.0),
    ],
)
def test_ablations_against_numpy(examples, monkeypatch, arguments, expected, ratio):
    strategy = tf.distribute.get_strategy()
    _check_against_numpy(examples, monkeypatch, strategy, ratio, 1, arguments, expected)


@pytest.mark.slow
def test_weighted_samples_against_numpy(examples, monkeypatch, strategy):
    weights = np.array([0, 3, 0.5, 1, 2, 0, 1.5, 4])
    ratio = 0.3 if strategy.num_replicas_in_sync == 1 else 1.0
    expected = {"sample_weights": weights}
    _check_against_numpy(examples, monkeypatch, strategy, ratio, 1, expected=expected)


def test_the_weight_of_the_teachers_rises(examples, monkeypatch):
    """Linearly from 0, in the first three of the five mini-batches."""
    strategy = tf.distribute.get_strategy()
    weights = [0.6 * min(i / 3, 1) for i in range(5)]
    _check_against_numpy(
        examples, monkeypatch, strategy, 0.3, 1, {"distillation_warmup": 3}, weights=weights
    )


def _check_against_numpy(
    examples, monkeypatch, strategy, ratio, temporary_teachers, arguments=None, expected=None,
    weights=(0.6,) * 5,
):  # fmt: skip
    """Trains a group and NumPy's; returns how often each student taught."""
    arguments, expected = arguments or {}, expected or {}
    if "feedback" not in arguments:
        monkeypatch.setattr(feedback, "mixing_ratio", lambda *_: tf.constant(ratio))
    monkeypatch.setattr(feedback, "shuffle", lambda positions, _: positions[::-1])
    sgd = {"learning_rate": 0.2, "momentum": 0.9, "l2": 0.01}
    with strategy.scope():
        group = _linear_group(
            students=4,
            temperature=3.0,
            distillation_weight=0.6,
            num_temporary_teachers=temporary_teachers,
            **{"pivot_learning_rate": 0.5} | arguments,
        )
        group.compile(optimizers.L2SGD(**sgd), run_eagerly=True)
    pivot, *students = (
        reference.LinearNetwork(*(w.astype(np.float64) for w in network.get_weights()))
        for network in group.members.values()
    )

    images, labels = (each[:40] for each in examples)
    taught, seen = np.zeros(4), []
    for start, beta in zip(range(0, len(images), 8), weights, strict=True):
        teachers, to_be_seen = reference.mini_batch(
            pivot,
            students,
            images[start : start + 8].reshape(8, -1).astype(np.float64),
            labels[start : start + 8],
            k=temporary_teachers,
            temperature=3.0,
            beta=beta,
            ratio=ratio,
            order=lambda feedback: feedback[::-1],
            sgd=sgd,
            pivot_learning_rate=0.1,
            **expected,
        )
        taught[teachers] += 1
        seen.append(to_be_seen)
    given = expected.get("sample_weights")
    given = None if given is None else np.tile(given, 5)
    how = dict(batch_size=8, shuffle=False, verbose=0, sample_weight=given)
    history = group.fit(images, labels, **how).history

    for name, share in zip(group.student_names, taught / 5):
        assert history[f"{name}_taught"] == pytest.approx([share])
    for name in seen[0]:
        assert history[name] == pytest.approx([np.mean([each[name] for each in seen])]), name
    for network, numpy in zip(group.members.values(), [pivot, *students]):
        kernel, bias = network.get_weights()
        np.testing.assert_allclose(kernel, numpy.weights, atol=2e-5)
        np.testing.assert_allclose(bias, numpy.bias, atol=2e-5)
    return taught


class Recorder(keras.callbacks.Callback):
    """Records the temporary teachers of each mini-batch."""

    def on_train_begin(self, logs=None):
        self.teachers = []

    def on_train_batch_end(self, batch, logs=None):
        self.teachers.append(self.model.role_record.recent_teachers.numpy()[-1].tolist())


def test_roles_are_kept_for_the_interval(examples):
    # Unlearnable labels and a high rate: the most confident student changes all the time.
    recorder = {interval: Recorder() for interval in (1, 4)}
    for interval in recorder:
        group = _linear_group(role_change_interval=interval)
        group.compile(keras.optimizers.SGD(1.0))
        group.fit(*examples, batch_size=4, verbose=0, shuffle=False, callbacks=[recorder[interval]])
    changes = {
        interval: {i for i in range(1, 20) if r.teachers[i] != r.teachers[i - 1]}
        for interval, r in recorder.items()
    }
    assert any(i % 4 for i in changes[1])
    assert changes[4] and not any(i % 4 for i in changes[4])


def test_the_mixing_depends_on_the_seed(examples):
    def weights(seed):
        group = _linear_group(students=2, seed=seed, pivot_learning_rate=1.0)
        group.compile("sgd", run_eagerly=True)
        group.fit(*examples, batch_size=40, verbose=0, shuffle=False)
        return group.pivot.get_weights()[0]

    np.testing.assert_array_equal(weights(seed=1), weights(seed=1))
    assert np.abs(weights(seed=1) - weights(seed=2)).max() > 1e-4


def test_a_mini_batch_of_one_image(examples):
    group = _linear_group()
    group.compile("sgd", run_eagerly=True)
    group.fit(examples[0][:3], examples[1][:3], batch_size=1, verbose=0)
    assert all(np.isfinite(w).all() for w in group.get_weights())


def test_mixed_precision_learns(examples):
    """By float16, which scales its losses; `test_families` has bfloat16."""
    keras.config.set_dtype_policy("mixed_float16")
    group = _linear_group(students=2)
    group.compile(keras.optimizers.SGD(0.05))
    history = group.fit(*examples, batch_size=8, epochs=15, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    scaled = [isinstance(o, keras.optimizers.LossScaleOptimizer) for o in group.optimizers.values()]
    assert scaled == [True] * 3


@pytest.mark.slow
def test_xla_computes_the_same(examples):
    def weights(jit_compile):
        group = _linear_group(students=2, mixup_alpha=0)  # XLA has random numbers of its own
        group.compile(keras.optimizers.SGD(0.1, momentum=0.9), jit_compile=jit_compile)
        group.fit(*examples, batch_size=8, shuffle=False, verbose=0)
        return group.get_weights()

    for compiled, ordinary in zip(weights(True), weights(False), strict=True):
        np.testing.assert_allclose(compiled, ordinary, atol=1e-5)
