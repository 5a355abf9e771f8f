"""What is wrong with images and labels is a sentence, for every method, in graphs and eagerly."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import hidden_group_members

import orc_keras
from orc_keras.groups.methods import METHODS


def with_label(value, dtype=np.float32):
    def spoil(images, labels):
        labels = labels.astype(dtype)
        labels[5] = value
        return images, labels

    return spoil


def with_pixel(value):
    def spoil(images, labels):
        images = images.copy()
        images[3, 1, 2, 0] = value
        return images, labels

    return spoil


CLASSES = "must be one of the classes, a whole number from 0 to 4, but one is"
SPOILT = {
    "half": (with_label(2.5), f"{CLASSES} 2.5"),
    "nan label": (with_label(np.nan), f"{CLASSES} nan"),
    "too large": (with_label(5, np.int64), f"{CLASSES} 5"),
    "negative": (with_label(-1, np.int32), f"{CLASSES} -1"),
    "nan": (with_pixel(np.nan), "Images must be finite numbers, but one has the value nan"),
    "infinite": (with_pixel(-np.inf), "Images must be finite .* the value -inf"),
}


@pytest.fixture(scope="module", params=list(METHODS.values()))
def eager_group(request):
    pivot, students = hidden_group_members()
    group = request.param(pivot, students)
    group.compile("sgd", run_eagerly=True)
    return group


@pytest.mark.parametrize("what", SPOILT)
def test_what_cannot_be_learnt_changes_nothing(eager_group, examples, what):
    spoil, message = SPOILT[what]
    images, labels = spoil(*examples)
    before = eager_group.get_weights()
    for act in (eager_group.train_on_batch, eager_group.test_on_batch):
        with pytest.raises(ValueError, match=message):
            act(images[:8], labels[:8])
    for ours, theirs in zip(eager_group.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("what", SPOILT)
def test_in_a_graph_too(group, examples, what):
    spoil, message = SPOILT[what]
    data = tf.data.Dataset.from_tensor_slices(spoil(*examples)).batch(8)
    with pytest.raises(ValueError, match=rf"^[^\n]*{message}\.$"):
        group.evaluate(data, verbose=0)


def test_while_it_trains(group, examples, strategy):
    """On one device and on two; a whole number may be a float, as NumPy's readers give them."""
    images, labels = examples
    with strategy.scope():
        group = orc_keras.Alone(*hidden_group_members())
        group.compile("sgd")
    group.fit(images, labels.astype(np.float64), batch_size=16, verbose=0)
    with pytest.raises(ValueError, match=f"{CLASSES} 2.5"):
        group.fit(*with_label(2.5, np.float64)(*examples), batch_size=16, verbose=0)


def no_mini_batch():
    yield from ()


@pytest.mark.parametrize(
    "nothing",
    [
        lambda x, y: dict(x=x[:0], y=y[:0]),
        lambda x, y: dict(x=tf.data.Dataset.from_tensor_slices((x, y)).take(0).batch(8)),
        lambda x, y: dict(
            x=tf.data.Dataset.from_generator(
                no_mini_batch,
                output_signature=(tf.TensorSpec([None, 4, 4, 1]), tf.TensorSpec([None])),
            )
        ),
    ],
)
def test_nothing_is_no_success(eager_group, examples, nothing):
    with pytest.raises(ValueError, match="nothing to learn from"):
        eager_group.fit(**nothing(*examples), verbose=0)
    with pytest.raises(ValueError, match="nothing to evaluate on"):
        eager_group.evaluate(**nothing(*examples), verbose=0)


def test_labels_that_are_no_numbers(eager_group, examples):
    names = tf.data.Dataset.from_tensor_slices((examples[0], ["cat"] * 80)).batch(8)
    with pytest.raises(
        ValueError, match="must be the integer class of an image, not of type string"
    ):
        eager_group.fit(names, verbose=0)


@pytest.mark.parametrize(
    "given, named",
    [
        (("mse",), "mse"),
        ({"loss": "mse"}, "loss"),
        ({"metrics": ["accuracy"], "loss_weights": [1]}, "metrics, loss_weights"),
    ],
)
def test_losses_and_metrics_are_the_methods_own(eager_group, given, named):
    by_place, by_name = ((), given) if isinstance(given, dict) else (given, {})
    with pytest.raises(ValueError, match=f"cannot be compiled with '?{named}'?: its losses"):
        eager_group.compile("sgd", *by_place, **by_name)


def network_with(end, name="own"):
    images = keras.Input((4, 4, 1))
    x = keras.layers.Dense(5)(keras.layers.Flatten()(images))
    return keras.Model(images, end(x), name=name)


class Probabilities(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = keras.layers.Dense(5)

    def call(self, images):
        return keras.ops.softmax(self.dense(keras.ops.reshape(images, (-1, 16))))


def subclassed():
    network = Probabilities()
    network(np.zeros((1, 4, 4, 1)))
    return network


def regularized(x):
    return keras.layers.Dense(5, kernel_regularizer="l2")(x)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: network_with(keras.ops.softmax), "own returns probabilities; .* return logits"),
        (lambda: network_with(keras.layers.Softmax()), "own returns probabilities"),
        (subclassed, "own returns probabilities"),
        (lambda: network_with(keras.layers.Dense(5, "sigmoid")), "own returns probabilities"),
        (lambda: network_with(keras.layers.Dense(1)), "logit for each of at least two classes"),
        (lambda: network_with(regularized), r"own has losses of its own \(regularizers"),
    ],
)
def test_what_a_random_mini_batch_tells(build, message):
    pivot, students = hidden_group_members()
    with pytest.raises(ValueError, match=message):
        orc_keras.Alone(build(), [build()])
    orc_keras.Alone(
        pivot, [network_with(keras.ops.log_softmax)]
    )  # of which the softmax is the same


@pytest.mark.parametrize(
    "kind, wrong, message",
    [
        ("orc", {"temperature": "4"}, "temperature must be above 0, not '4'"),
        ("orc", {"temperature": True}, "temperature must be above 0, not True"),
        ("kd", {"distillation_weight": None}, "must be 0 to 1, not None"),
        ("kdcl", {"temperature": np.ones(2)}, "temperature must be above 0, not array"),
        ("orc", {"mixup_alpha": "1"}, "mixup_alpha must be 0 or more, not '1'"),
        (
            "orc",
            {"num_temporary_teachers": 1.0},
            "num_temporary_teachers must be a whole number, 1 or more",
        ),
        ("orc", {"role_change_interval": [1]}, r"role_change_interval must be .* not \[1\]"),
        ("orc", {"seed": 2**70}, "seed must be a whole number, 0 to 4294967295"),
        ("orc", {"teachings": "group"}, "teachings must be a list of intensive, private, group"),
        (
            "orc",
            {"teacher_aggregation": ["ensemble"]},
            r"must be one of .* not \['ensemble'\]",
        ),
        ("dgkd", {"survival_probability": "1"}, "survival_probability must be above 0"),
    ],
)
def test_arguments_of_the_wrong_type(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        METHODS[kind](*hidden_group_members(), **wrong)


def test_students_are_a_list():
    pivot, students = hidden_group_members()
    for wrong in (students[0], None, 3):
        with pytest.raises(ValueError, match="students must be a list of networks, not"):
            orc_keras.Alone(pivot, wrong)


def test_a_pivot_smaller_than_a_student_is_named():
    pivot, students = hidden_group_members()
    with pytest.warns(UserWarning, match=r"pivot small \(137 .* smaller than .* large \(269\)"):
        orc_keras.Alone(students[-1], students[:-1])
