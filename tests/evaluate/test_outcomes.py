"""The measures, against hand calculations and scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics

from orc_keras.runs.predictions import Predictions


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(size=(200, 7), scale=2).astype(np.float32)


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(0, 6, 200)  # of the last class there is no image


def test_measures_against_scikit_learn(logits, labels):
    predictions = Predictions.from_logits(logits, labels)
    probabilities = np.exp(logits.astype(np.float64))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    every = list(range(7))
    for k in (1, 5):
        expected = metrics.top_k_accuracy_score(labels, logits, k=k, labels=every)
        assert predictions.accuracy(k) == pytest.approx(expected)
    measures = predictions.metrics("abcdefg")
    assert measures["images"] == 200
    expected = metrics.log_loss(labels, probabilities, labels=every)
    assert measures["cross_entropy"] == pytest.approx(expected, rel=1e-5)
    recall = metrics.recall_score(labels, logits.argmax(axis=1), labels=range(6), average=None)
    of_class = list(measures["accuracy_by_class"].values())
    assert of_class[:6] == pytest.approx(recall.tolist()) and of_class[6] is None


def test_the_calibration_error_by_hand():
    """Bins of 1/15: confidences 0.95 twice, one of them right, and 0.55 once, right."""
    predictions = Predictions(
        labels=np.array([0, 0, 0]),
        predicted=np.array([0, 1, 0]),
        rank=np.array([0, 1, 0]),
        confidence=np.array([0.95, 0.95, 0.55]),
        cross_entropy=np.zeros(3),
    )
    images, confidence, accuracy = predictions.reliability()
    assert images[14] == 2 and accuracy[14] == 0.5 and confidence[14] == pytest.approx(0.95)
    assert images[8] == 1 and accuracy[8] == 1 and images.sum() == 3
    assert predictions.calibration_error() == pytest.approx((2 * 0.45 + 0.45) / 3)


def test_a_network_that_is_as_sure_as_it_is_right_is_calibrated():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 20_000)
    rank = (rng.uniform(0, 1, 20_000) > confidence).astype(int)
    zeros = np.zeros(20_000, int)
    assert Predictions(zeros, rank, rank, confidence, zeros).calibration_error() < 0.02


def test_equal_logits_count_as_argmax_does():
    predictions = Predictions.from_logits(np.zeros((3, 4)), [0, 1, 3])
    assert predictions.predicted.tolist() == [0, 0, 0] and predictions.rank.tolist() == [0, 1, 3]


def test_the_most_confused_pairs(logits, labels):
    predictions = Predictions.from_logits(logits, labels)
    confused = metrics.confusion_matrix(labels, logits.argmax(axis=1), labels=range(7))
    both = np.triu(confused + confused.T, 1)
    found = predictions.confusions(most=3)
    assert [len(images) for *_, images in found] == sorted(both.ravel())[:-4:-1]
    for one, other, images in found:
        assert one < other and len(images) == both[one, other]
        for i in images:
            assert {labels[i], logits[i].argmax()} == {one, other}
    assert Predictions.from_logits(np.eye(3), [0, 1, 2]).confusions() == []


def test_batches_are_put_together(logits, labels):
    batches = [(logits[i : i + 64], labels[i : i + 64]) for i in range(0, 200, 64)]
    parts = Predictions.compute(lambda x: {"same": x, "opposite": -x}, batches)
    for name, sign in (("same", 1), ("opposite", -1)):
        whole = Predictions.from_logits(sign * logits, labels)
        np.testing.assert_array_equal(parts[name].rank, whole.rank)
        np.testing.assert_array_equal(parts[name].confidence, whole.confidence)


def test_a_network_that_has_diverged_is_not_right():
    with pytest.raises(FloatingPointError, match="logits that are NaN or infinite"):
        Predictions.from_logits([[np.nan, 0], [1, 2]], [0, 1])
