import math

import keras
import numpy as np
import pytest
from helpers import reference_networks

from orc_keras import models
from orc_keras.evaluate.members import to_keras_layers

EVERY = [(name, "default") for name in models.names()]
EVERY += [(name, "linear") for name in ("vgg8", "vgg9", "vgg11", "vgg13", "wrn_40_1")]
ONE_OF_EACH_FAMILY = [  # and of each kind of block and stem
    ("resnet8x4", "default"),
    ("resnet18_imagenet", "default"),
    ("wrn_16_2", "default"),
    ("vgg8", "default"),
    ("vgg9", "linear"),
    ("mobilenet_v2", "default"),
    ("shufflenet_v1", "default"),
    ("shufflenet_v2", "default"),
]
CLASSES = 7


def small(name, vgg_head="default", more=(0, 0)):
    """The network for the smallest images that it takes, `more` pixels larger; and images.

    With weights that let the image through: fresh ones let some networks answer much the same to
    every image, and a fresh BatchNorm does nothing.
    """
    keras.utils.set_random_seed(0)  # of the biases
    size = models.smallest_size(name, vgg_head)
    shape = (size + more[0], size + more[1], 2)
    network = models.build(name, shape, CLASSES, vgg_head)
    rng = np.random.default_rng(0)
    for layer in models.leaf_layers(network):
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            noise = rng.normal(0, 0.1, (3, len(gamma)))
            variance = rng.uniform(0.5, 2, len(gamma))
            layer.set_weights([gamma + noise[0], beta + noise[1], mean + noise[2], variance])
        elif hasattr(layer, "kernel"):
            shape_of_one = layer.kernel.shape[: 2 if "Depthwise" in type(layer).__name__ else -1]
            stddev = math.sqrt(2 / math.prod(shape_of_one))
            layer.kernel.assign(rng.normal(0, stddev, layer.kernel.shape))
    return network, rng.normal(size=(4, *shape)).astype(np.float32)


def gradients(network, images):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        logits = network(images, training=False)
        loss = tf.reduce_sum(logits[:, 0])
    return tape.gradient(loss, [weight.value for weight in network.trainable_weights])


def assert_close(actual, expected):
    assert np.std(expected, axis=0).max() > 0.01 * np.abs(expected).max(), "all images look alike"
    np.testing.assert_allclose(actual, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name, head", [n for n in EVERY if n not in ONE_OF_EACH_FAMILY])
def test_logits(name, head):
    network, images = small(name, head)
    logits = network(images, training=False)
    assert network.name == name and logits.shape == (4, CLASSES)
    assert_close(logits, reference_networks.logits(network, images, head == "linear"))


@pytest.mark.slow
@pytest.mark.parametrize("name, head", ONE_OF_EACH_FAMILY)
def test_any_size(name, head):
    """Also where the halvings leave a rest, and on images that are not square; all of it learns."""
    network, images = small(name, head, more=(5, 12))
    logits = network(images, training=False)
    assert network.name == name
    assert_close(logits, reference_networks.logits(network, images, head == "linear"))
    assert np.abs(logits - network(images, training=True)).max() > 0, "no batch statistics"
    for weight, gradient in zip(network.trainable_weights, gradients(network, images)):
        assert np.abs(gradient).max() > 0, weight.path


@pytest.mark.parametrize("more", [(55, 57), (56, 56), (57, 60)])
def test_a_linear_vgg_around_64_pixels(more):
    network, images = small("vgg8", "linear", more)
    assert_close(network(images), reference_networks.logits(network, images, linear=True))


@pytest.mark.parametrize(
    "name, policy",
    [
        pytest.param("mobilenet_v2", "mixed_float16", marks=pytest.mark.slow),
        ("shufflenet_v2", "mixed_bfloat16"),
    ],
)
def test_mixed_precision(name, policy):
    expected = small(name)[0]
    keras.config.set_dtype_policy(policy)
    network, images = small(name)
    logits = network(images, training=False)
    assert logits.dtype == "float32"
    tolerance = {"mixed_bfloat16": 0.05, "mixed_float16": 0.01}[policy]
    largest = np.abs(expected(images)).max()
    np.testing.assert_allclose(logits, expected(images), atol=tolerance * largest)


def test_moving_statistics_keep_nine_tenths():
    network = models.build("resnet8", (8, 8, 1), 10)
    images = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
    before = network.get_layer("stem_bn").moving_mean.numpy()
    features = keras.Model(network.input, network.get_layer("stem_conv").output)(images).numpy()
    network(images, training=True)
    expected = 0.9 * before + 0.1 * features.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(network.get_layer("stem_bn").moving_mean, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet8x4", "shufflenet_v2"])
def test_networks_to_save_need_nothing_of_this_project(name):
    """tests/test_train.py loads one in a process without it."""
    network, images = small(name)
    stock = to_keras_layers(network)
    assert {type(each).__module__.partition(".")[0] for each in stock.operations} == {"keras"}
    assert_close(stock(images), network(images))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("alexnet", (32, 32, 3), 100), "Unknown network 'alexnet'; possible are resnet8, "),
        (("WRN40_2", (32, 32, 3), 100), "Unknown network 'WRN40_2'; did you mean wrn_40_2"),
        (("resnet20", (3, 32, 3), 100), "3 x 32 pixels are too small for resnet20, .* 4 x 4.$"),
        (
            ("vgg8", (31, 31, 3), 100),
            "too small for vgg8, .* 32 x 32, or 8 x 8 with vgg_head=linear",
        ),
        (("vgg8", (7, 8, 3), 100, "linear"), "7 x 8 pixels are too small for vgg8, .* 8 x 8.$"),
        (("resnet20", (32, 32, 3), 1), "num_classes must be 2 or more, not 1"),
        ((["resnet20"], (32, 32, 3), 10), r"Unknown network \['resnet20'\]"),
        (("vgg8", (32, 32, 3), 10, "mlp"), "Unknown vgg_head 'mlp'; possible are default, linear"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.build(*arguments)


def test_numbers_of_numpy():
    network = models.build("resnet8", [np.int64(8), 8, 3], np.int64(10))
    assert network.output_shape == (None, 10)


def test_channels_first_is_refused():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="image_data_format to be 'channels_last'"):
            models.build("mobilenet_v2", (32, 32, 3), 10)
    finally:
        keras.config.set_image_data_format("channels_last")
