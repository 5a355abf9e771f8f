"""ShuffleNetV1 (Zhang et al. 2018) with three groups, in the form used for CIFAR.

The stem is a 1 x 1 convolution of stride 1, in place of a 3 x 3 convolution of stride 2 and max
pooling; ReLU follows the depthwise convolution too.
"""

import keras
from keras import layers

from orc_keras.models.parts import (
    Tensor,
    average_pool,
    batch_norm,
    channel_shuffle,
    classifier,
    conv_bn,
    depthwise_conv,
    depthwise_uniform,
    relu,
    uniform,
)

# name -> rows of (channels, units)
VARIANTS = {"shufflenet_v1": ((240, 4), (480, 8), (960, 4))}
STEM_WIDTH = 24
GROUPS = 3


def smallest_size(name: str) -> int:
    """Returns the image size that ends at 1 pixel: three stages halve it."""
    return 8


def build(name: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Builds ShuffleNetV1; see `models.build`."""
    images = keras.Input(input_shape, name="images")
    x = relu(conv_bn_1x1(images, STEM_WIDTH, "stem"), "stem")
    for stage, (width, units) in enumerate(VARIANTS[name], start=1):
        for number in range(1, units + 1):
            x = unit(x, width, 2 if number == 1 else 1, f"stage{stage}_unit{number}")
    return keras.Model(images, classifier(average_pool(x), num_classes), name=name)


def unit(x: Tensor, width: int, strides: int, name: str) -> Tensor:
    """Grouped 1 x 1, channel shuffle, depthwise 3 x 3 and grouped 1 x 1 convolutions.

    A unit of stride 2 concatenates its average-pooled input; the others add their input.
    """
    if strides == 2:
        width -= x.shape[-1]
    groups = 1 if x.shape[-1] == STEM_WIDTH else GROUPS  # 24 channels are too few to group
    y = relu(conv_bn_1x1(x, width // 4, f"{name}_1", groups), f"{name}_1")
    y = channel_shuffle(y, groups, name) if groups > 1 else y
    y = depthwise_conv(y, f"{name}_2", strides, depthwise_uniform())
    y = relu(batch_norm(y, f"{name}_2"), f"{name}_2")
    y = conv_bn_1x1(y, width, f"{name}_3", GROUPS)
    if strides == 2:
        y = layers.Concatenate(name=f"{name}_concatenate")([y, halve(x, name)])
    else:
        y = layers.Add(name=f"{name}_add")([y, x])
    return relu(y, name)


def halve(x: Tensor, name: str) -> Tensor:
    """3 x 3 average pooling of stride 2; the padding zeros count in the average."""
    x = layers.ZeroPadding2D(1, name=f"{name}_shortcut_pad")(x)
    return layers.AveragePooling2D(3, 2, name=f"{name}_shortcut_pool")(x)


def conv_bn_1x1(x: Tensor, width: int, name: str, groups: int = 1) -> Tensor:
    """1 x 1 convolution, then BatchNorm."""
    return conv_bn(x, width, name, kernel_size=1, groups=groups, initial=uniform())
