"""Names the devices that a run trains on, and why TensorFlow does not use a GPU."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from orc_keras import startup
from orc_keras.distribution.workers import machines

DRIVER = Path("/proc/driver/nvidia/version")


def description(strategy: Any, batch_size: int = 0) -> str:
    """Returns what a strategy trains on, for the first line of a run.

    Args:
        strategy: a `tf.distribute.Strategy`.
        batch_size: images in a mini-batch, over all replicas; 0: not mentioned.
    """
    details = map(tf.config.experimental.get_device_details, tf.config.get_visible_devices("GPU"))
    gpus = [each.get("device_name", "unknown") for each in details]
    replicas, workers = strategy.num_replicas_in_sync, len(machines(strategy.cluster_resolver)[0])
    if replicas == 1 and gpus:
        return f"{f'one of {len(gpus)} GPUs' if len(gpus) > 1 else 'the GPU'} ({gpus[0]})"
    if replicas == 1:
        cores = len(startup.cores())
        return f"the CPU ({cores} core{'s' * (cores > 1)}): TensorFlow sees no GPU"
    devices = f"GPUs ({', '.join(dict.fromkeys(gpus))})" if gpus else "logical CPUs"
    number = f"{workers} machines with {replicas // workers}" if workers > 1 else replicas
    each = f", {batch_size // replicas} images each" if batch_size else ""
    return f"{number} {devices}, mirrored{each}"


def why_no_gpu() -> str:
    """Returns why TensorFlow does not use an NVIDIA GPU of this machine; empty if it has none."""
    if tf.config.get_visible_devices("GPU") or not (DRIVER.exists() or shutil.which("nvidia-smi")):
        return ""
    if not importlib.util.find_spec("nvidia"):
        command = f'pip install "tensorflow[and-cuda]=={tf.__version__}"'
        return f"the CUDA libraries are missing, which {command} installs"
    return "TF_CPP_MIN_LOG_LEVEL=0 shows its reasons; CUDA_VISIBLE_DEVICES may hide it"


def check(require_gpu: bool) -> None:
    """Raises ValueError if a GPU is required and TensorFlow sees none."""
    if require_gpu and not tf.config.get_visible_devices("GPU"):
        reason = why_no_gpu() or "no NVIDIA driver is here"
        raise ValueError(f"--require_gpu: TensorFlow sees no GPU; {reason}.")
