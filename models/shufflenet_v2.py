"""ShuffleNetV2 (Ma et al. 2018) at width 1, in the form used for CIFAR.

The stem is a 1 x 1 convolution of stride 1, in place of a 3 x 3 convolution of stride 2 and max
pooling.
"""

from typing import Any

import keras
from keras import layers, ops

from orc_keras.models.parts import (
    Tensor,
    average_pool,
    batch_norm,
    channel_shuffle,
    classifier,
    conv_bn_relu,
    depthwise_conv,
    depthwise_uniform,
    uniform,
)

# name -> rows of (channels, units)
VARIANTS = {"shufflenet_v2": ((116, 4), (232, 8), (464, 4))}
STEM_WIDTH = 24
LAST_WIDTH = 1024


def smallest_size(name: str) -> int:
    """Returns the image size that ends at 1 pixel: three stages halve it."""
    return 8


def build(name: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Builds ShuffleNetV2; see `models.build`."""
    images = keras.Input(input_shape, name="images")
    x = conv_bn_relu_1x1(images, STEM_WIDTH, "stem")
    for stage, (width, units) in enumerate(VARIANTS[name], start=1):
        x = down_unit(x, width, f"stage{stage}_unit1")
        for number in range(2, units + 1):
            x = basic_unit(x, f"stage{stage}_unit{number}")
    x = average_pool(conv_bn_relu_1x1(x, LAST_WIDTH, "last"))
    return keras.Model(images, classifier(x, num_classes), name=name)


def down_unit(x: Tensor, width: int, name: str) -> Tensor:
    """Halves the image and sets the channels to `width`; both branches take the whole input."""
    # Each branch is a model, because Keras would list the layers of both interleaved. This way they
    # have the order of the reference network, and weights can be copied in this order.
    inputs = keras.Input(x.shape[1:], name=f"{name}_input")
    left = depthwise_conv_bn(inputs, f"{name}_left1", strides=2)
    left = conv_bn_relu_1x1(left, width // 2, f"{name}_left2")
    left = keras.Model(inputs, left, name=f"{name}_left")
    right = right_branch(inputs, width // 2, 2, name)
    right = keras.Model(inputs, right, name=f"{name}_right")
    return join(left(x), right(x), name)


def basic_unit(x: Tensor, name: str) -> Tensor:
    """Passes one half of the channels through unchanged, the other through the right branch."""
    halves: Any = ops.split(x, 2, axis=-1)
    left, right = halves
    return join(left, right_branch(right, right.shape[-1], 1, name), name)


def right_branch(x: Tensor, width: int, strides: int, name: str) -> Tensor:
    """1 x 1, depthwise 3 x 3 and 1 x 1 convolutions; no ReLU after the depthwise one."""
    x = conv_bn_relu_1x1(x, width, f"{name}_right1")
    x = depthwise_conv_bn(x, f"{name}_right2", strides)
    return conv_bn_relu_1x1(x, width, f"{name}_right3")


def join(left: Tensor, right: Tensor, name: str) -> Tensor:
    """Concatenates both branches and shuffles their channels."""
    x = layers.Concatenate(name=f"{name}_concatenate")([left, right])
    return channel_shuffle(x, 2, name)


def conv_bn_relu_1x1(x: Tensor, width: int, name: str) -> Tensor:
    """1 x 1 convolution, BatchNorm, ReLU."""
    return conv_bn_relu(x, width, name, kernel_size=1, initial=uniform())


def depthwise_conv_bn(x: Tensor, name: str, strides: int) -> Tensor:
    """Depthwise 3 x 3 convolution, BatchNorm."""
    return batch_norm(depthwise_conv(x, name, strides, depthwise_uniform()), name)
