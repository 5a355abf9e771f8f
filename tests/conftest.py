"""Four logical devices for every test, and networks that are tiny."""

import functools
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf

import models
import orc_keras
from orc_keras import data, report
from orc_keras.distribution import strategies
from orc_keras.settings import Settings

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
)

# Always the same examples, and no clock: the first call of an operation takes long.
hypothesis.settings.register_profile("tests", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("tests")

ROOT = Path(__file__).parent.parent
IMAGE_SHAPE = (4, 4, 1)
NUM_CLASSES = 5


def linear_network(name="linear", image_shape=IMAGE_SHAPE, num_classes=NUM_CLASSES, seed=0):
    """A linear classifier: few enough operations to compute its training by hand."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, kernel_initializer=_initial(seed)),
        ],
        name=name,
    )


def hidden_network(name, width, seed=0):
    """A classifier with a hidden layer and no BatchNorm."""
    images = keras.Input(IMAGE_SHAPE)
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(width, activation="relu", kernel_initializer=_initial(seed))(x)
    logits = keras.layers.Dense(NUM_CLASSES, kernel_initializer=_initial(seed + 1))(x)
    return keras.Model(images, logits, name=name)


def _initial(seed):
    return keras.initializers.RandomNormal(stddev=0.3, seed=seed)


def hidden_group_members():
    """A pivot and three students of different size, the same at every call."""
    widths = {"pivot": 16, "large": 12, "middle": 8, "small": 6}
    pivot, *students = (hidden_network(name, w, seed=w) for name, w in widths.items())
    return pivot, students


@pytest.fixture
def examples():
    """80 images and labels, of which each student finds others hard."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(80, *IMAGE_SHAPE)).astype(np.float32)
    return images, rng.integers(0, NUM_CLASSES, 80).astype(np.int32)


@pytest.fixture
def batches(examples):
    """The examples in ten mini-batches of eight."""
    return tf.data.Dataset.from_tensor_slices(examples).batch(8)


@pytest.fixture
def group():
    """A compiled group, the same in every test."""
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    group.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    return group


@functools.cache
def replicas(number):
    """A strategy of so many replicas on logical CPU devices."""
    if number == 1:
        return tf.distribute.get_strategy()
    # Otherwise the strategies of one process would mix up their collective operations.
    tf.distribute.MirroredStrategy._collective_key_base = 10_000 * number
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(number)])


@pytest.fixture(params=[1, 2])
def strategy(request):
    """One device, then two replicas."""
    return replicas(request.param)


@pytest.fixture
def tiny(monkeypatch):
    """Settings of runs that take a second, with networks and data that are tiny."""
    return tiny_settings(monkeypatch)


def tiny_settings(monkeypatch):
    """Makes networks and data tiny; returns a function from changed settings to `Settings`."""

    def build(name, image_shape, num_classes, head):
        assert (image_shape, num_classes) == ((4, 4, 1), 5)
        return hidden_network(name, int(name.removeprefix("hidden")))

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 4, 4, 1)).astype(np.uint8)
    labels = rng.integers(0, 5, 60).astype(np.int32)
    tiny_data = data.ImageData(
        data.PixelImages(images[:40], labels[:40]),
        data.PixelImages(images[40:], labels[40:]),
        tuple("abcde"),
        (4, 4, 1),
        (0.5,),
        (0.3,),
    )
    monkeypatch.setattr(report, "write", lambda paths: paths[0])  # longer than such a run
    monkeypatch.setattr(models, "build", build)
    monkeypatch.setattr(models, "smallest_size", lambda name, head: 4)
    monkeypatch.setattr(data, "load", lambda *_, **__: tiny_data)
    monkeypatch.setattr(strategies, "_mirrored", lambda: replicas(2))

    def settings(**changed):
        return Settings(
            **{
                "dataset": "tiny",
                "pivot": "hidden16",
                "students": ("hidden12", "hidden8", "hidden6"),
                "pivot_epochs": 1,
                "epochs": 2,
                "batch_size": 8,
                "decay_epochs": (1,),
            }
            | changed
        )

    return settings


MEMBER = {
    "network": "tiny",
    "role": "student",
    "parameters": 1,
    "accuracy": 0.5,
    "top_5": 1.0,
    "cross_entropy": 1.0,
    "calibration_error": 0.1,
    "taught": None,
}
SUMMARY = {
    "settings": {
        "dataset": "tiny",
        "data_dir": "",
        "image_size": 0,
        "validation_fraction": 0.0,
        "batch_size": 10,
        "epochs": 2,
    },
    "way": "somehow",
    "versions": {},
    "data": {
        "image_shape": [4, 4, 1],
        "class_names": ["a", "b"],
        "mean": [0.5],
        "std": [0.5],
        "augmentation": "none",
        "resized": False,
        "train_images": 45,
        "held_out_images": 9,
        "held_out_from": "test",
    },
    "members": {"a": MEMBER, "b": MEMBER},
}


@pytest.fixture(autouse=True)
def float32_policy():
    """Leaves no test with the mixed precision of another."""
    yield
    keras.config.set_dtype_policy("float32")


def program(*arguments, cwd=ROOT):
    """Runs Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


SERVE = """
import importlib.util, sys
import numpy as np, tensorflow as tf
assert importlib.util.find_spec("orc_keras") is None
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
result = signature(images=tf.constant(np.load(sys.argv[2])))
np.savez(sys.argv[3], **{key: value.numpy() for key, value in result.items()})
"""


def serve(saved_model, images, tmp_path):
    """Answers of a SavedModel in a process that has TensorFlow only."""
    np.save(tmp_path / "images.npy", images)
    arguments = (saved_model, tmp_path / "images.npy", tmp_path / "answers.npz")
    run = program("-I", "-c", SERVE, *arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    return np.load(tmp_path / "answers.npz")
