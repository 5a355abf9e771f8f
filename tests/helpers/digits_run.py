"""A finished run on the digits, made once for all processes of the tests."""

import fcntl

import numpy as np
import pytest
import tensorflow as tf

from helpers.networks import hidden_network
from orc_keras import data, experiment, models
from orc_keras.settings import Settings

MEMBERS = ("hidden12", "hidden10", "hidden8")
CLASSES = [str(i) for i in range(10)]


def shared(tmp_path_factory, name, make):
    """Returns a directory that `make` has filled, in this process or in another of the tests."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if root.name.startswith("popen-") else root
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / name).exists():
            make(root / f"{name}.part")
            (root / f"{name}.part").rename(root / name)
    return root / name


def make(directory):
    """Makes a run whose members have learnt alone for an epoch."""

    def build(name, image_shape, num_classes, head):
        return hidden_network(name, int(name.removeprefix("hidden")), 0, image_shape, num_classes)

    settings = Settings(
        dataset="digits",
        method="alone",
        pivot=MEMBERS[0],
        students=MEMBERS[1:],
        epochs=1,
        decay_epochs=(),
        output_dir=str(directory),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "build", build)
        patch.setattr(models, "smallest_size", lambda name, head: 1)
        experiment.prepare(settings)()


def held_out():
    """The raw images that were not learnt from, and their classes."""
    images = data.load("digits").held_out
    return images.pixels.numpy(), images.labels.numpy()


def normalised(images):
    digits = data.load("digits")
    return ((images / 255 - digits.mean) / digits.std).astype(np.float32)


def served(directory, images):
    """What a SavedModel answers."""
    signature = tf.saved_model.load(directory).signatures["serving_default"]
    return signature(images=tf.constant(images))
