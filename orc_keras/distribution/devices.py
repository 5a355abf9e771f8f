"""The devices that a run trains on, in words, and why TensorFlow may not use a GPU that is here."""

import importlib.util
import os
import shutil
from pathlib import Path

import tensorflow as tf

from orc_keras import startup
from orc_keras.distribution.workers import addresses

DRIVER = Path("/proc/driver/nvidia/version")


def description(strategy, batch_size=0):
    """Returns what a strategy trains on, in a few words, for the first line of a run.

    Args:
        strategy: a `tf.distribute.Strategy`.
        batch_size: images in a mini-batch, over all replicas; 0: not mentioned.
    """
    replicas, machines = strategy.num_replicas_in_sync, len(addresses(strategy))
    cards = _cards()
    if replicas == 1:
        one = f"one of {len(cards)} GPUs" if len(cards) > 1 else "the GPU"
        return f"{one} ({cards[0]})" if cards else f"the CPU ({_cores()}): TensorFlow sees no GPU"
    kind = f"GPUs ({', '.join(dict.fromkeys(cards))})" if cards else "logical CPUs"
    where = f"{machines} machines with {replicas // machines}" if machines > 1 else f"{replicas}"
    each = f", {batch_size // replicas} images each" if batch_size else ""
    return f"{where} {kind}, mirrored{each}"


def _cores():
    number = len(startup.cores())
    return f"{number} cores" if number > 1 else "1 core"


def _cards():
    """Returns the names of the GPUs that TensorFlow uses."""
    details = map(tf.config.experimental.get_device_details, tf.config.get_visible_devices("GPU"))
    return [each.get("device_name", "unknown") for each in details]


def why_no_gpu():
    """Returns why TensorFlow does not use an NVIDIA card that is here; empty if there is none."""
    if tf.config.get_visible_devices("GPU") or not (DRIVER.exists() or shutil.which("nvidia-smi")):
        return ""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return f"the environment variable CUDA_VISIBLE_DEVICES={hidden!r} hides it"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if not importlib.util.find_spec("nvidia"):
        wanted = f'pip install "tensorflow[and-cuda]=={tf.__version__}"'
        return f"the CUDA libraries are missing, which {wanted} installs"
    return "TF_CPP_MIN_LOG_LEVEL=0 in the environment shows its reasons; the driver may be too old"


def check(require_gpu):
    """Raises ValueError if a GPU is required and TensorFlow sees none."""
    if require_gpu and not tf.config.get_visible_devices("GPU"):
        reason = why_no_gpu() or "no NVIDIA driver is here"
        raise ValueError(f"--require_gpu: TensorFlow sees no GPU; {reason}.")
