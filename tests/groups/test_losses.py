import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from orc_keras.groups import losses


def test_cross_entropy_by_hand():
    # softmax of (ln 3, 0) is (3/4, 1/4)
    logits = [[np.log(3.0), 0.0], [np.log(3.0), 0.0]]
    assert losses.cross_entropy([0, 1], logits).numpy() == pytest.approx(
        [-np.log(3 / 4), -np.log(1 / 4)]
    )


def test_cross_entropy_of_a_single_class_is_zero():
    assert losses.cross_entropy([0], [[7.0]]).numpy() == pytest.approx([0.0])


def test_distillation_by_hand():
    # At T = 2 the teacher's (2 ln 3, 0) softens to (3/4, 1/4), the student's zeros to halves.
    expected = 4 * (3 / 4 * np.log((3 / 4) / (1 / 2)) + 1 / 4 * np.log((1 / 4) / (1 / 2)))
    loss = losses.distillation([[0.0, 0.0]], [[2 * math.log(3), 0.0]], temperature=2.0)
    assert loss.numpy() == pytest.approx([expected])


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
def test_distillation_against_numpy(temperature):
    student, teacher = np.random.default_rng(1).normal(size=(2, 6, 10), scale=5).astype("float32")
    target = softmax(teacher / temperature, axis=1)
    gap = log_softmax(teacher / temperature, axis=1) - log_softmax(student / temperature, axis=1)
    expected = temperature**2 * (target * gap).sum(axis=1)
    loss = losses.distillation(student, teacher, temperature)
    assert loss.numpy() == pytest.approx(expected, rel=1e-4)


def test_distillation_is_finite_for_extreme_logits():
    loss = losses.distillation([[1e4, -1e4]], [[-1e4, 1e4]], temperature=4.0)
    assert loss.numpy() == pytest.approx([16 * 2e4 / 4])


def test_the_teacher_is_never_differentiated():
    student, teacher = tf.constant([[1.0, 2.0]]), tf.constant([[2.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch([student, teacher])
        loss = losses.distillation(student, teacher, 4.0)
    of_student, of_teacher = tape.gradient(loss, [student, teacher])
    # T (softmax(s / T) - softmax(t / T)), by calculus
    expected = 4 * (softmax([1 / 4, 2 / 4]) - softmax([2 / 4, 0]))
    assert of_student.numpy()[0] == pytest.approx(expected, rel=1e-5)
    assert of_teacher is None


def test_intensive_teaching_mixes_the_two_labels():
    logits = [[np.log(3.0), 0.0]]
    loss = losses.intensive_teaching([0], [1], logits, mixing_ratio=0.75)
    assert loss.numpy() == pytest.approx([-0.75 * np.log(3 / 4) - 0.25 * np.log(1 / 4)])


def test_every_teacher_teaches_by_itself():
    student, first, second = np.random.default_rng(2).normal(size=(3, 4, 5)).astype("float32")
    labels = [0, 1, 2, 3]
    loss = losses.teaching(labels, student, [first, second], 4.0, distillation_weight=0.25)
    expected = 0.75 * losses.cross_entropy(labels, student).numpy() + 0.25 * (
        losses.distillation(student, first, 4.0).numpy()
        + losses.distillation(student, second, 4.0).numpy()
    )
    assert loss.numpy() == pytest.approx(expected, rel=1e-5)
