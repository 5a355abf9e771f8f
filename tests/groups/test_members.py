import keras
import numpy as np
import pytest
from helpers.networks import IMAGE_SHAPE, hidden_group_members, linear_network

import orc_keras


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
        (
            lambda: [
                linear_network(),
                keras.Sequential(
                    [
                        keras.Input(IMAGE_SHAPE),
                        keras.layers.Flatten(),
                        keras.layers.Dense(5, "softmax"),
                    ]
                ),
            ],
            "returns probabilities; a member must return logits",
        ),
    ],
)
def test_networks_that_cannot_be_members(networks, message):
    pivot, *students = networks()
    with pytest.raises(ValueError, match=message):
        orc_keras.NetworkGroup(pivot, students)


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


def test_a_pivot_smaller_than_a_student_is_named():
    pivot, students = hidden_group_members()
    with pytest.warns(UserWarning, match=r"pivot small \(137 .* smaller than .* large \(269\)"):
        orc_keras.Alone(students[-1], students[:-1])
