import keras
import pytest
from helpers.networks import IMAGE_SHAPE, linear_network

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
