"""Each family's weights start in the distributions of its reference networks."""

import functools
import math

import keras
import numpy as np
import pytest

from orc_keras import models


@functools.cache
def kernels_of(name):
    """The kernels and the biases of a fresh network by the name of the layer."""
    keras.utils.set_random_seed(0)
    size = models.smallest_size(name)
    layers = models.leaf_layers(models.build(name, (size, size, 3), 100))
    layers = [layer for layer in layers if hasattr(layer, "kernel")]
    kernels = {layer.name: layer.kernel.numpy() for layer in layers}
    return kernels, {layer.name: layer.bias.numpy() for layer in layers if layer.use_bias}


BOTTLENECK = pytest.param("resnet50", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["resnet20", BOTTLENECK, "wrn_16_2", "vgg8", "mobilenet_v2"])
def test_convolutions_start_normal(name):
    """With variance 2 / (k * k * out), not truncated."""
    kernels, _ = kernels_of(name)
    out_axis = {layer: 2 if layer.endswith("_depthwise_conv") else 3 for layer in kernels}
    scaled = [
        k.ravel() / math.sqrt(2 / (k.shape[0] * k.shape[1] * k.shape[out_axis[layer]]))
        for layer, k in kernels.items()
        if layer.endswith("_conv")
    ]
    for values in scaled:
        assert values.std() == pytest.approx(1, abs=5 / math.sqrt(values.size))
    assert np.abs(np.concatenate(scaled)).max() > 3.5


@pytest.mark.parametrize("name", ["shufflenet_v1", "shufflenet_v2"])
def test_convolutions_start_uniform(name):
    """In +-1 / sqrt(fan in); a depthwise convolution has a fan in of 9."""
    kernels, _ = kernels_of(name)
    for layer, kernel in kernels.items():
        fan_in = 9 if kernel.shape[:2] == (3, 3) else kernel.shape[-2]
        assert 0.95 < np.abs(kernel).max() * math.sqrt(fan_in) <= 1, layer


@pytest.mark.parametrize(
    "name, distribution, bias",
    [
        ("resnet20", "uniform", "uniform"),
        ("shufflenet_v1", "uniform", "uniform"),
        ("wrn_16_2", "uniform", "zeros"),
        ("vgg8", "normal", "zeros"),
        ("mobilenet_v2", "normal", "zeros"),
    ],
)
def test_fully_connected_layers_start(name, distribution, bias):
    kernels, biases = kernels_of(name)
    for layer in {"logits", "fc1", "fc2"} & set(kernels):
        kernel, limit = kernels[layer], 1 / math.sqrt(len(kernels[layer]))
        if distribution == "uniform":
            assert 0.95 * limit < np.abs(kernel).max() <= limit
        else:
            assert kernel.std() == pytest.approx(0.01, rel=0.02)
        largest = np.abs(biases[layer]).max()
        assert largest == 0 if bias == "zeros" else 0.9 * limit < largest <= limit
