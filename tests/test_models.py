import math
import subprocess
import sys

import keras
import numpy as np
import pytest

import models

PARAMETERS = {  # trainable, for 100 classes and 3 channels, as reference networks have them
    "resnet8": 83_892,
    "resnet14": 181_108,
    "resnet20": 278_324,
    "resnet26": 375_540,
    "resnet32": 472_756,
    "resnet44": 667_188,
    "resnet56": 861_620,
    "resnet110": 1_736_564,
}


def test_the_table_is_whole():
    assert set(models.names()) == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    network = models.build(name, (32, 32, 3), 100)
    assert network.name == name
    assert network.output_shape == (None, 100)
    assert sum(math.prod(w.shape) for w in network.trainable_weights) == PARAMETERS[name]


def test_strided_convolutions_pad_one_pixel_on_each_side():
    """By NumPy: the first output of a 3 x 3, stride 2 convolution sees rows -1, 0 and 1."""
    from models.resnet import conv_bn

    inputs = keras.Input((6, 6, 1))
    network = keras.Model(inputs, conv_bn(inputs, 1, "conv", strides=2))
    image = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
    kernel = np.arange(9, dtype=np.float32).reshape(3, 3)
    network.get_layer("conv_conv").set_weights([kernel.reshape(3, 3, 1, 1)])
    padded = np.pad(image[0, :, :, 0], 1)
    expected = [
        [(padded[r : r + 3, c : c + 3] * kernel).sum() for c in (0, 2, 4)] for r in (0, 2, 4)
    ]
    output = network(image, training=False)[0, :, :, 0]
    np.testing.assert_allclose(output, np.array(expected) / math.sqrt(1 + 1e-5), rtol=1e-5)


def test_initial_distributions():
    keras.utils.set_random_seed(0)
    network = models.build("resnet20", (8, 8, 1), 10)
    kernel = network.get_layer("stage3_block2_1_conv").kernel.numpy()
    assert kernel.std() == pytest.approx(math.sqrt(2 / (9 * 64)), rel=0.02)
    assert np.abs(kernel).max() > 3.5 * kernel.std(), "it should not be truncated"
    logits = network.get_layer("logits").kernel.numpy()
    assert 0.9 / 8 < np.abs(logits).max() <= 1 / 8


def test_moving_statistics_keep_nine_tenths():
    network = models.build("resnet8", (8, 8, 1), 10)
    images = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
    before = network.get_layer("stem_bn").moving_mean.numpy()
    features = keras.Model(network.input, network.get_layer("stem_conv").output)(images).numpy()
    network(images, training=True)
    expected = 0.9 * before + 0.1 * features.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(network.get_layer("stem_bn").moving_mean, expected, atol=1e-5)


def test_a_saved_network_loads_without_this_project(tmp_path):
    network = models.build("resnet8", (8, 8, 1), 10)
    network.save(tmp_path / "network.keras")
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    program = (
        "import keras, numpy as np, importlib.util\n"
        "assert importlib.util.find_spec('orc_keras') is None\n"
        "network = keras.saving.load_model('network.keras', safe_mode=True)\n"
        "np.save('logits.npy', network(np.load('images.npy')))\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), network(images), atol=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("resnet9", (32, 32, 3), 100), "Unknown network 'resnet9'; possible are resnet8, "),
        (("resnet20", (3, 32, 3), 100), "3 x 32 pixels are too small .* resnet20, .* 4 x 4"),
        (("resnet20", (32, 32, 3), 1), "num_classes must be at least 2, not 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.build(*arguments)
