"""Members from code of one's own."""

import sys

import numpy as np
import pytest
from helpers.networks import linear_network

import orc_keras
from orc_keras import networks

SHAPE, CLASSES = (4, 4, 1), 5
CODE = """
import keras

def tiny(image_shape, num_classes):
    return keras.Sequential([
        keras.Input(image_shape), keras.layers.Flatten(), keras.layers.Dense(num_classes)])

class Net(keras.Model):
    def __init__(self, num_classes):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.logits = keras.layers.Dense(num_classes)

    def call(self, images):
        return self.logits(self.flatten(images))

def subclassed(image_shape, num_classes):
    network = Net(num_classes)
    network(keras.Input(image_shape))
    return network

def nothing(image_shape, num_classes):
    pass

def too_few(image_shape):
    pass

def fails(image_shape, num_classes):
    return keras.layers.Dense(num_classes // 0)  # FAILS

class Fails(Net):
    def call(self, images):
        return keras.ops.reshape(super().call(images), (-1, 3, 5))[:, 0]  # CALL FAILS

def fails_later(image_shape, num_classes):
    network = Fails(num_classes)
    network.build((None, *image_shape))
    network.built = True
    return network

class Probabilities(Net):
    def call(self, images):
        return keras.ops.softmax(super().call(images))

def probabilities(image_shape, num_classes):
    network = Probabilities(num_classes)
    network(keras.Input(image_shape))
    return network

def unbuilt(image_shape, num_classes):
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(num_classes)])

def other(image_shape, num_classes):
    return tiny(image_shape, num_classes + 1)
"""


def build(source):
    return networks.build(source, SHAPE, CLASSES)


def line_of(comment):
    (number,) = [n for n, line in enumerate(CODE.splitlines(), 1) if line.endswith(comment)]
    return number


@pytest.fixture
def own_code(tmp_path, monkeypatch):
    """A working directory with a module of somebody's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "own_networks.py").write_text(CODE)
    (tmp_path / "own_broken.py").write_text("\nimport not_there_at_all\n")
    yield
    sys.modules.pop("own_networks", None)


def test_a_subclassed_network_is_a_member(own_code):
    member = build("own_networks:subclassed")
    assert member.output_shape == (None, CLASSES)
    group = orc_keras.Alone(member, [linear_network()])
    group.compile("sgd")
    group.fit(np.zeros((6, *SHAPE), np.float32), np.arange(6) % CLASSES, verbose=0)


def test_code_builds_members_of_their_own(own_code):
    first, second = (build("own_networks:tiny") for _ in range(2))
    assert first.name == "tiny" and first.output_shape == (None, CLASSES)
    assert not {*map(id, first.weights)} & {*map(id, second.weights)}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("own_network:tiny", "own_network:tiny cannot be imported: No module named"),
        ("own_broken:tiny", "Error in line 2 of .*own_broken.py.: No module named 'not_there"),
        ("own_networks:tini", "own_networks:tini cannot be imported: .* no attribute 'tini'"),
        ("own_networks:nothing", "it must be a keras.Model, not NoneType"),
        ("own_networks:unbuilt", "is not built; give its first layer an input shape"),
        ("own_networks:other", "it has 6 classes, and the images 5"),
        ("own_networks:probabilities", "probabilities returns probabilities; .* return logits"),
        ("own_networks:too_few", "own_networks:too_few cannot be a member: .* takes 1 positional"),
        (
            "own_networks:fails",
            rf"fails cannot be a member \(ZeroDivisionError in line {line_of('# FAILS')} of "
            r".*own_networks.py\): integer division",
        ),
        (
            "own_networks:fails_later",
            rf"later cannot be a member \(InvalidArgumentError in line {line_of('# CALL FAILS')}"
            r" of .*own_networks.py\): [^\n\x1b]+$",  # one line, without Keras's bold
        ),
    ],
)
def test_code_that_is_refused(own_code, source, complaint):
    with pytest.raises(ValueError, match=complaint):
        build(source)
