import keras
import numpy as np
import pytest
from helpers.networks import hidden_group_members, linear_network

import orc_keras
from orc_keras import models
from orc_keras.groups import members


def test_members_of_one_architecture_get_names_of_their_own():
    networks = [linear_network(name) for name in ("a", "b", "b", "b_2", "b")]
    group = orc_keras.NetworkGroup(networks[0], networks[1:])
    assert list(group.members) == ["a", "b", "b_2", "b_2_2", "b_3"]


def _twice():
    network = linear_network()
    return [network, network, linear_network()]


def _two_outputs():
    images = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(images)
    outputs = [keras.layers.Dense(5)(x), keras.layers.Dense(5)(x)]
    return keras.Model(images, outputs, name="two_outputs")


def _one_trunk():
    images = keras.Input((4, 4, 1))
    x = keras.layers.Dense(7)(keras.layers.Flatten()(images))
    return [keras.Model(images, keras.layers.Dense(5)(x), name=name) for name in "ab"]


def _two_inputs():
    inputs = [keras.Input((4, 4, 1)), keras.Input((4, 4, 1))]
    x = keras.layers.Flatten()(keras.layers.Add()(inputs))
    return keras.Model(inputs, keras.layers.Dense(5)(x), name="two_inputs")


@pytest.mark.parametrize(
    "networks, message",
    [
        (
            lambda: [linear_network(), linear_network(num_classes=6)],
            "numbers of classes, .* 5 .* 6",
        ),
        (
            lambda: [linear_network(), linear_network("wide", (6, 6, 1))],
            r"images of shape, but linear has \(4, 4, 1\) and wide \(6, 6, 1\)",
        ),
        (_twice, "linear and linear share weights"),
        (lambda: [linear_network()], "at least one student"),
        (lambda: [linear_network(), "resnet8"], "must be a keras.Model, not str"),
        (lambda: [_two_inputs(), linear_network()], "two_inputs must take one tensor of images"),
        (
            lambda: [linear_network(), _two_outputs()],
            "two_outputs must return one tensor of logits",
        ),
        (_one_trunk, "a and b share weights"),
        (
            lambda: [linear_network(), keras.Sequential([keras.layers.Dense(5)], name="unbuilt")],
            "unbuilt is not built",
        ),
    ],
)
def test_networks_that_cannot_be_members(networks, message):
    pivot, *students = networks()
    with pytest.raises(ValueError, match=message):
        orc_keras.NetworkGroup(pivot, students)


def network_with(*ends, units=5, **options):
    images = keras.Input((4, 4, 1))
    x = keras.layers.Dense(units, **options)(keras.layers.Flatten()(images))
    for end in ends:
        x = end(x)
    return keras.Model(images, x, name="own")


class Own(keras.Model):
    """A network of which nothing but its outputs can be seen."""

    def __init__(self, end):
        super().__init__(name="own")
        self.dense, self.end = keras.layers.Dense(5), end

    def call(self, images):
        return self.end(self.dense(keras.ops.reshape(images, (-1, 16))))


def subclassed(end):
    network = Own(end)
    network(np.zeros((1, 4, 4, 1)))
    return network


def nested(network):
    images = keras.Input((4, 4, 1))
    return keras.Model(images, network(images), name="own")


def of_pixels():
    images = keras.Input((4, 4, 1), dtype="uint8")
    return keras.Model(images, network_with()(keras.layers.Rescaling(1 / 255)(images)), name="own")


def with_nan_weights():
    return of_constants(np.nan, np.nan)


SOFTMAX, SIGMOID = keras.ops.softmax, keras.ops.sigmoid
REFUSED = {
    "own returns probabilities; .* leave out the softmax or sigmoid": [
        lambda: network_with(activation="softmax"),
        lambda: network_with(keras.layers.Softmax()),
        lambda: network_with(SOFTMAX),
        lambda: subclassed(SOFTMAX),
        lambda: nested(network_with(activation="softmax")),
        lambda: nested(subclassed(SOFTMAX)),
        lambda: network_with(activation="softmax", kernel_initializer="zeros"),
        lambda: network_with(lambda z: (SOFTMAX(z) + SOFTMAX(2 * z)) / 2),
        lambda: network_with(activation="sigmoid"),
        lambda: network_with(activation="sigmoid", units=2),
        lambda: network_with(keras.layers.Identity(), activation="sigmoid"),
        lambda: subclassed(SIGMOID),
        lambda: subclassed(lambda z: keras.layers.Identity()(SIGMOID(z))),
        lambda: network_with(lambda z: keras.ops.one_hot(keras.ops.argmax(z, -1), 5)),
    ],
    "own returns NaN or infinite logits .* look for a logarithm": [
        lambda: network_with(lambda z: z - np.float32([0, 0, 0, 0, np.inf])),
        lambda: network_with(keras.ops.sqrt),
        lambda: subclassed(lambda z: z / 0),
    ],
    "own takes numbers of type uint8, .* raw: before": [of_pixels],
    "type int32; .* so leave out": [lambda: network_with(lambda z: keras.ops.cast(z, "int32"))],
    "type bool; .* so leave out": [lambda: subclassed(lambda z: z > 0)],
    "own has NaN or infinite numbers in dense": [with_nan_weights],
    "logit for each of at least two classes": [lambda: network_with(units=1)],
    r"losses of its own \(regularizers": [lambda: network_with(kernel_regularizer="l2")],
}


@pytest.mark.parametrize(
    "message, build", [(message, build) for message in REFUSED for build in REFUSED[message]]
)
def test_what_a_random_mini_batch_tells(message, build):
    pivot, _ = hidden_group_members()
    with pytest.raises(ValueError, match=message):
        orc_keras.Alone(pivot, [build()])


def test_weights_that_become_nan_later_are_refused():
    pivot, students = hidden_group_members()
    group = orc_keras.Alone(pivot, students)
    group.compile("sgd")
    students[0].layers[-1].bias.assign([0, 0, np.nan, 0, 0])
    before = pivot.get_weights()[0]
    with pytest.raises(ValueError, match="^large has NaN or infinite numbers in dense.*bias"):
        group.fit(np.zeros((8, 4, 4, 1)), np.zeros(8), verbose=0)
    np.testing.assert_array_equal(pivot.get_weights()[0], before)


def of_constants(kernel, bias):
    network = network_with()
    network.set_weights([np.full((16, 5), kernel), np.full(5, bias)])
    return network


def layer_normalised(seed):
    """Two logits of constant sign, and small, however large the images."""

    def dense(units, **options):
        normal = keras.initializers.RandomNormal(stddev=0.1, seed=seed)
        return keras.layers.Dense(units, kernel_initializer=normal, **options)

    images = keras.Input((4, 4, 1))
    x = keras.layers.LayerNormalization()(keras.layers.Flatten()(images))
    return keras.Model(images, dense(2)(dense(4, bias_initializer="ones")(x)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: of_constants(0, 0),
        lambda: of_constants(0, 0.2),
        lambda: of_constants(1e-6, 1e-6),
        lambda: network_with(keras.ops.log_softmax),
        lambda: network_with(keras.ops.tanh),
    ],
)
def test_logits_are_not_taken_for_probabilities(build):
    members.check_member(build())


def test_logits_that_happen_to_lie_between_0_and_1():
    networks = [layer_normalised(seed) for seed in range(12)]
    noise = np.random.default_rng(0).normal(size=(9, 4, 4, 1))
    outputs = [network(noise).numpy() for network in networks]
    assert any(z.min() >= 0 and z.max() <= 1 for z in outputs)
    for network in networks:
        weights = network.get_weights()
        members.check_member(network)
        for before, after in zip(weights, network.get_weights()):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    """A deep network whose BatchNorms have not learnt yet overflows in float16."""

    def deep(end="linear"):
        x = images = keras.Input((4, 4, 1))
        for _ in range(20):
            x = models.normalization.BatchNormalization()(x + 2 * x)
        x = keras.layers.Dense(5, activation=end)(keras.layers.Flatten()(x))
        return keras.Model(images, x, name="own")

    keras.config.set_dtype_policy(policy)
    try:
        members.check_member(deep())
        with pytest.raises(ValueError, match="own returns probabilities"):
            members.check_member(network_with(activation="softmax"))
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_pivot_smaller_than_a_student_is_named():
    pivot, students = hidden_group_members()
    with pytest.warns(UserWarning, match=r"pivot small \(137 .* smaller than .* large \(269\)"):
        orc_keras.Alone(students[-1], students[:-1])
