"""On which devices a group is trained."""

import functools

import tensorflow as tf


def strategy(name):
    """Returns the `tf.distribute.Strategy` for `--strategy`.

    Args:
        name: `one_device`; `mirrored`, all GPUs, or all logical CPUs where there is no GPU; or
            `auto`, mirrored where there are several GPUs.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return _mirrored()
    return tf.distribute.get_strategy()


@functools.cache  # two in one process would mix up their collective operations
def _mirrored():
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])
