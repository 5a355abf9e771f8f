"""Four logical devices for every test, and networks that are tiny."""

import gc
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.fsync = lambda descriptor: None  # no test can see the disk itself, and waiting for it takes long

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import digits_run as digits_run_of
from helpers.devices import replicas
from helpers.networks import IMAGE_SHAPE, NUM_CLASSES, hidden_group_members
from helpers.tiny import tiny_settings

import orc_keras

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
)

# A graph of a test runs a few times: to optimise it first takes longer than it spares. Programs
# that tests start do so.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

# Always the same examples, and no clock: the first call of an operation takes long.
hypothesis.settings.register_profile("tests", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("tests")


# Files that take a worker of xdist long begin first, so that the workers end together.
LONG = (
    "test_two_workers",
    "test_killed",
    "test_train",
    "test_finished_run",
    "test_experiment",
    "test_backup_and_restore",
    "test_methods",
    "test_docstrings",
    "test_online_role_change",
    "test_as_keras_model",
    "test_sample_weights",
    "test_network_group",
)


def pytest_collection_finish():
    gc.collect()
    gc.freeze()
    gc.disable()


def pytest_unconfigure():
    gc.unfreeze()  # or the process may crash as it ends


MOST_MEMORY = 6e9  # bytes of a process, from which on garbage is collected


@pytest.fixture(autouse=True, scope="module")
def garbage():
    """Collects only if need be: where graphs abound it takes half a minute.

    What is frozen is spared also when TensorFlow Lite's converter collects.
    """
    yield
    if _memory() > MOST_MEMORY:
        gc.unfreeze()
        gc.collect()
    gc.freeze()


def _memory():
    """Returns the bytes of memory that this process has; 0 where the system does not say it so."""
    sizes = Path("/proc/self/statm")
    return int(sizes.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if sizes.exists() else 0


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture
def examples():
    """80 images and labels, of which each student finds others hard."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(80, *IMAGE_SHAPE)).astype(np.float32)
    return images, rng.integers(0, NUM_CLASSES, 80).astype(np.int32)


@pytest.fixture
def few(examples):
    """The first 32 of the examples: four mini-batches of eight."""
    images, labels = examples
    return images[:32], labels[:32]


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


@pytest.fixture(params=[1, 2])
def strategy(request):
    """One device, then two replicas."""
    return replicas(request.param)


@pytest.fixture
def tiny(monkeypatch):
    """Settings of runs that take a second, with networks and data that are tiny."""
    return tiny_settings(monkeypatch)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory):
    """The directory of a finished run on the digits, to be read only."""
    return digits_run_of.shared(tmp_path_factory, "digits_run", digits_run_of.make)


@pytest.fixture(scope="session")
def held_out():
    """The raw digits that were not learnt from, and their classes."""
    return digits_run_of.held_out()


@pytest.fixture(autouse=True)
def float32_policy():
    """Leaves no test with the types of another."""
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
