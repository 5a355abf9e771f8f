"""Knowledge distillation takes the steps of Keras's own `Distiller`."""

import keras
import numpy as np
from helpers.networks import hidden_network

import orc_keras


def test_kd_is_the_distillation_of_keras(examples):
    """Not with `LogitsDistillation`'s default loss, which takes logits for probabilities."""
    fit = dict(batch_size=8, epochs=2, shuffle=False, verbose=0)
    temperature, beta = 3.0, 0.7

    group = orc_keras.KnowledgeDistillation(*networks(), temperature, beta)
    group.compile(optimizer(), run_eagerly=True)
    group.fit(*examples, **fit)

    teacher, (student,) = networks()
    before = student.get_weights()
    distiller = keras.distillation.Distiller(
        teacher,
        student,
        keras.distillation.LogitsDistillation(temperature, keras.losses.KLDivergence()),
        student_loss_weight=1 - beta,
    )
    of_labels = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    distiller.compile(optimizer(), of_labels, run_eagerly=True)
    distiller.fit(*examples, **fit)

    for ours, theirs, first in zip(group.student.get_weights(), student.get_weights(), before):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert np.abs(ours - first).max() > 0.1, "it should have learnt"


def networks():
    return hidden_network("teacher", 12, seed=1), [hidden_network("student", 6, seed=2)]


def optimizer():
    return keras.optimizers.SGD(0.2, momentum=0.9)
