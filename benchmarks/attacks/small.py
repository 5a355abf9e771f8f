"""What snippets of the library's cases begin with: small networks, images, labels and groups.

Nothing is computed when this is imported, so that a process that has imported it can be forked.
"""

from orc_keras import startup

startup.quietly()

import keras
import numpy as np
import tensorflow as tf

import orc_keras
from orc_keras import callbacks, data, models
from orc_keras.groups import feedback, losses, optimizers
from orc_keras.report import page
from orc_keras.training.checkpoints import Saves

__all__ = [
    "SHAPE",
    "Saves",
    "Probabilities",
    "batches",
    "callbacks",
    "data",
    "feedback",
    "generator",
    "group",
    "images",
    "keras",
    "labels",
    "losses",
    "models",
    "network",
    "np",
    "optimizers",
    "orc_keras",
    "page",
    "students",
    "tf",
]
SHAPE, CLASSES = (4, 4, 1), 3
images = np.random.default_rng(0).normal(size=(12, *SHAPE)).astype(np.float32)
labels = np.arange(12) % CLASSES


def network(name="net", shape=SHAPE, classes=CLASSES, end=None):
    """A linear classifier; `end` is a function of its logits."""
    given = keras.Input(shape)
    logits = keras.layers.Dense(classes)(keras.layers.Flatten()(given))
    return keras.Model(given, end(logits) if end else logits, name=name)


def students(**options):
    return [network(name, **options) for name in ("one", "two")]


def group(kind=orc_keras.OnlineRoleChange, **arguments):
    """A group of three linear classifiers, compiled."""
    made = kind(network("pivot"), students(), **arguments)
    made.compile("sgd")
    return made


def batches(given, classes):
    """The same as a dataset of mini-batches."""
    both = given if classes is None else (given, classes)
    return tf.data.Dataset.from_tensor_slices(both).batch(4)


def generator(given, classes):
    """The same as a generator of mini-batches."""
    for first in range(0, len(given), 4):
        part = slice(first, first + 4)
        yield given[part] if classes is None else (given[part], classes[part])


class Probabilities(keras.Model):
    """A network of a class of its own that returns probabilities."""

    def __init__(self, name="subclass"):
        super().__init__(name=name)
        self.flat, self.dense = keras.layers.Flatten(), keras.layers.Dense(CLASSES)
        self(np.zeros((1, *SHAPE), np.float32))

    def call(self, given):
        return keras.ops.softmax(self.dense(self.flat(given)))
