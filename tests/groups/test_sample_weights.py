"""Weights of samples and classes, in every method; ORC's against NumPy is with the step itself."""

import numpy as np
import pytest
from helpers.devices import replicas
from helpers.networks import hidden_group_members

from orc_keras.groups import METHODS
from orc_keras.groups.optimizers import L2SGD

ALONE = {"orc": {"mixup_alpha": 0.0}}  # with mixing, positions are drawn by the size of the batch


def trained(method, images, labels, strategy=None, arguments=None, **how):
    """The weights and the history of a group after an epoch of mini-batches of eight."""
    with (strategy or replicas(1)).scope():
        group = METHODS[method](*hidden_group_members(), **(arguments or {}))
        group.compile(L2SGD(0.1, momentum=0.9))
    how = {"batch_size": 8} | how
    history = group.fit(images, labels, shuffle=False, verbose=0, **how).history
    return group.get_weights(), history


def assert_equal(found, expected, **tolerance):
    for ours, theirs in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(ours, theirs, **{"rtol": 0, "atol": 0} | tolerance)
    for name in expected[1]:
        assert found[1][name] == pytest.approx(expected[1][name], rel=1e-4), name


@pytest.mark.parametrize("method", ["orc", "dgkd"])
def test_equal_weights_change_not_a_bit(few, method):
    assert_equal(trained(method, *few, sample_weight=np.full(32, 0.3)), trained(method, *few))


@pytest.mark.parametrize("method", ["orc", "kd", "dml", "dgkd"])
def test_a_weight_of_zero_leaves_a_sample_out(few, method):
    """Batches of twelve, the last four of each with weight 0, are batches of eight."""
    added = [np.stack([part[24:28]] * 3) for part in few]
    own = [part[:24].reshape(3, 8, *part.shape[1:]) for part in few]
    more = [np.concatenate(each, axis=1) for each in zip(own, added)]
    more = [each.reshape(-1, *each.shape[2:]) for each in more]
    weights = np.tile([1.0] * 8 + [0.0] * 4, 3)
    how = dict(arguments=ALONE.get(method))
    with_more = trained(method, *more, batch_size=12, sample_weight=weights, **how)
    without = trained(method, *(p[:24] for p in few), **how)
    assert_equal(with_more, without, atol=1e-6)


@pytest.mark.slow
def test_two_replicas_share_the_weights(few):
    how = dict(arguments=ALONE["orc"], sample_weight=np.linspace(0, 3, 32))
    one, two = (trained("orc", *few, strategy=replicas(n), **how) for n in (1, 2))
    assert_equal(two, one, atol=1e-5)


def test_an_evaluation_weighs_samples_of_all_mini_batches_alike(group, few):
    """Mini-batches of other weights than their neighbours, against NumPy."""
    images, labels = few
    weights = np.repeat([4.0, 1.0, 0.5, 2.0], 8)
    hits = np.argmax(group.predict(images, verbose=0), axis=1) == labels
    how = dict(sample_weight=weights, batch_size=8, verbose=0, return_dict=True)
    accuracy = group.evaluate(images, labels, **how)["accuracy"]
    assert accuracy == pytest.approx(np.average(hits, weights=weights))
    assert accuracy != pytest.approx(np.mean(hits))


@pytest.mark.slow
def test_class_weights_are_weights_of_samples(few):
    of_class = {0: 1.0, 1: 0.5, 2: 4.0, 3: 0.0, 4: 2.0}
    by_sample = np.array([of_class[label] for label in few[1]])
    assert_equal(
        trained("orc", *few, class_weight=of_class), trained("orc", *few, sample_weight=by_sample)
    )


@pytest.mark.parametrize("wrong", [-1.0, np.nan])
def test_weights_that_are_none(group, few, wrong):
    weights = np.ones(32)
    weights[3] = wrong
    with pytest.raises(ValueError, match="sample_weight must be finite and 0 or more, but one is"):
        group.fit(*few, sample_weight=weights, verbose=0)
