import keras
import numpy as np
import pytest
import tensorflow as tf

import orc_keras
from orc_keras import models

# Without the ShuffleNets: each step of theirs takes long on CPUs. `tests/models` trains them.
FAMILIES = ("vgg8", "resnet8x4", "mobilenet_v2")


@pytest.mark.slow
def test_a_group_of_several_families_learns():
    """Six steps on images that show four coarse patterns in noise, in half precision.

    Each takes all images: by fewer, the loss of MobileNetV2 rises as often as it falls, and how it
    ends depends on the CPU.
    """
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 16)
    coarse = rng.normal(size=(4, 4, 4, 3))[labels]
    images = coarse.repeat(4, axis=1).repeat(4, axis=2) + rng.normal(0, 0.3, (16, 16, 16, 3))
    batches = tf.data.Dataset.from_tensor_slices((images.astype(np.float32), labels)).batch(16)

    pivot, *students = (models.build(name, (16, 16, 3), 4, vgg_head="linear") for name in FAMILIES)
    group = orc_keras.OnlineRoleChange(pivot, students)
    group.compile(keras.optimizers.SGD(0.02, momentum=0.9), run_eagerly=True)
    history = group.fit(batches, epochs=6, verbose=0).history
    for name in FAMILIES:
        first, *_, last = history[f"{name}_loss"]
        assert last < first, (name, history[f"{name}_loss"])
