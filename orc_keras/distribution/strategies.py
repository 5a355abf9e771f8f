"""Chooses the devices and machines to train on, and distributes the data to them."""

import functools
import os
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from orc_keras.distribution.workers import machines


class Replicas(NamedTuple):
    """The replicas that a process feeds; each gets its part of every mini-batch.

    Attributes:
        first: the index of the first of them.
        local: the number of replicas in this process.
        total: the number of replicas in all processes.
    """

    first: int = 0
    local: int = 1
    total: int = 1


def choose(name: str) -> Any:
    """Returns the `tf.distribute.Strategy` for `--strategy`, one object for each name.

    A multi-worker strategy must be created before TensorFlow runs any operation.

    Args:
        name: `one_device`; `mirrored`, all GPUs of this machine, or its logical CPUs if there are
            several; `multi_worker`, the GPUs (or the CPU) of each machine in TF_CONFIG; or `auto`,
            multi_worker where TF_CONFIG names several machines, otherwise mirrored where there are
            several GPUs.

    Raises:
        ValueError: if TF_CONFIG is needed and is missing or malformed, or if there is no GPU where
            GPUs are needed.
    """
    if name == "multi_worker" or (name == "auto" and len(_addresses()) > 1):
        return _multi_worker()
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return _mirrored()
    return tf.distribute.get_strategy()


@functools.cache  # collective operations of two in one process would mix
def _mirrored():
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1 and devices[0].device_type == "CPU":
        raise ValueError(
            "--strategy=mirrored needs GPUs, and TensorFlow sees none; one_device or auto trains "
            "on the CPU."
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


@functools.cache
def _multi_worker():
    addresses = _addresses()
    if not addresses:
        raise ValueError(
            "--strategy=multi_worker needs the environment variable TF_CONFIG, which names the "
            "machines; see docs/distributed.md for an example."
        )
    if len(addresses) > 1:
        print(f"Waiting for all workers: {', '.join(addresses)}.", flush=True)
    # Python gets no Ctrl-C while TensorFlow waits, so let it end the process.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    finally:
        signal.signal(signal.SIGINT, handler)


def _addresses():
    """Returns the machines in TF_CONFIG, the chief first; none if it is not set."""
    try:
        return machines(tf.distribute.cluster_resolver.TFConfigClusterResolver())[0]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ValueError(
            f"TF_CONFIG must be like {{'cluster': {{'worker': ['host1:port', 'host2:port']}}, "
            f"'task': {{'type': 'worker', 'index': 0}}}} in JSON, not {os.environ['TF_CONFIG']!r}."
        ) from None


def distribute(strategy: Any, batches: Callable[[Replicas], tf.data.Dataset]) -> Any:
    """Returns a distributed dataset for `fit` and `evaluate`: each replica's part of a mini-batch.

    A machine reads its own parts only: `batches` returns the dataset of some replicas.
    """

    def of_worker(context):
        local = context.num_replicas_in_sync // context.num_input_pipelines
        first = context.input_pipeline_id * local
        return batches(Replicas(first, local, context.num_replicas_in_sync))

    return strategy.distribute_datasets_from_function(of_worker)
