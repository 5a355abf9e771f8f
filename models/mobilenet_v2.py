"""MobileNetV2 (Sandler et al. 2018) at width 0.5, in the form used for CIFAR.

It has ReLU in place of ReLU6, and a 1 x 1 expansion in the first block too.
"""

import keras
from keras import layers

from orc_keras.models.parts import (
    Initializer,
    Tensor,
    average_pool,
    batch_norm,
    classifier,
    conv_bn,
    conv_bn_relu,
    depthwise_conv,
    relu,
)

# rows of (expansion, channels, blocks, strides of the first block)
VARIANTS = {
    "mobilenet_v2": (
        (1, 8, 1, 1),
        (6, 12, 2, 1),
        (6, 16, 3, 2),
        (6, 32, 4, 2),
        (6, 48, 3, 1),
        (6, 80, 3, 2),
        (6, 160, 1, 1),
    )
}
STEM_WIDTH = 16
LAST_WIDTH = 1280


def smallest_size(name: str) -> int:
    """Returns the image size that ends at 1 pixel: the stem and three rows halve it."""
    return 16


def build(name: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Builds MobileNetV2; see `models.build`."""
    images = keras.Input(input_shape, name="images")
    x = conv_bn_relu(images, STEM_WIDTH, "stem", strides=2)
    for row, (expansion, width, blocks, strides) in enumerate(VARIANTS[name], start=1):
        for number in range(1, blocks + 1):
            x = block(x, expansion, width, strides if number == 1 else 1, f"row{row}_block{number}")
    x = average_pool(conv_bn_relu(x, LAST_WIDTH, "last", kernel_size=1))
    normal = keras.initializers.RandomNormal(stddev=0.01)
    logits = classifier(x, num_classes, initial=normal, bias_initial="zeros")
    return keras.Model(images, logits, name=name)


def block(x: Tensor, expansion: int, width: int, strides: int, name: str) -> Tensor:
    """An inverted residual: expansion, depthwise convolution, projection without ReLU."""
    expanded = expansion * x.shape[-1]
    y = conv_bn_relu(x, expanded, f"{name}_expand", kernel_size=1)
    y = depthwise_conv(y, f"{name}_depthwise", strides, initial=depthwise_normal(expanded))
    y = relu(batch_norm(y, f"{name}_depthwise"), f"{name}_depthwise")
    y = conv_bn(y, width, f"{name}_project", kernel_size=1)
    return layers.Add(name=f"{name}_add")([x, y]) if x.shape == y.shape else y


def depthwise_normal(channels: int) -> Initializer:
    """Normal of variance 2 / (k * k * out), as in the other convolutions.

    Keras's own would take 1 as the output channels of a depthwise convolution.
    """
    return keras.initializers.RandomNormal(stddev=(2 / (9 * channels)) ** 0.5)
