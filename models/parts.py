"""The parts that the families share, as in the field's reference networks.

Each function takes a tensor and returns the next; `name` begins the names of the layers it adds.
Layers are created in the order of the reference networks.
"""

from typing import Any

import keras
from keras import layers

from orc_keras.models.normalization import BatchNormalization

Tensor = Any  # a keras.KerasTensor; Keras does not state the types of its layers
Initializer = Any  # a keras.initializers.Initializer


def conv(
    x: Tensor,
    width: int,
    name: str,
    kernel_size: int = 3,
    strides: int = 1,
    groups: int = 1,
    use_bias: bool = False,
    initial: Initializer = None,
) -> Tensor:
    """Convolution with a padding of `kernel_size // 2` pixels on each side."""
    x, padding = _pad(x, name, kernel_size, strides)
    return layers.Conv2D(
        width,
        kernel_size,
        strides,
        padding,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer=initial or he_normal(),
        name=f"{name}_conv",
    )(x)


def depthwise_conv(x: Tensor, name: str, strides: int, initial: Initializer) -> Tensor:
    """Depthwise 3 x 3 convolution with a padding of one pixel on each side."""
    x, padding = _pad(x, name, 3, strides)
    return layers.DepthwiseConv2D(
        3, strides, padding, use_bias=False, depthwise_initializer=initial, name=f"{name}_conv"
    )(x)


def _pad(x, name, kernel_size, strides):
    """Pads `x` if Keras's "same" would pad unequally; returns it and the convolution's padding."""
    if strides == 1:
        return x, "same"
    if kernel_size > 1:
        x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    return x, "valid"


def batch_norm(x: Tensor, name: str) -> Tensor:
    """BatchNorm whose moving statistics keep 0.9 of the old value per step."""
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def relu(x: Tensor, name: str) -> Tensor:
    """ReLU."""
    return layers.ReLU(name=f"{name}_relu")(x)


def conv_bn(x: Tensor, width: int, name: str, **options: Any) -> Tensor:
    """Convolution, then BatchNorm; options as for `conv`."""
    return batch_norm(conv(x, width, name, **options), name)


def conv_bn_relu(x: Tensor, width: int, name: str, **options: Any) -> Tensor:
    """Convolution, BatchNorm, ReLU; options as for `conv`."""
    return relu(conv_bn(x, width, name, **options), name)


def channel_shuffle(x: Tensor, groups: int, name: str) -> Tensor:
    """Channel shuffle between groups (Zhang et al. 2018, section 3.1)."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, groups, channels // groups), name=f"{name}_groups")(x)
    x = layers.Permute((1, 2, 4, 3), name=f"{name}_shuffle")(x)
    return layers.Reshape((height, width, channels), name=f"{name}_ungroup")(x)


def average_pool(x: Tensor) -> Tensor:
    """Global average pooling: `[batch, height, width, channels]` to `[batch, channels]`."""
    return layers.GlobalAveragePooling2D(name="pool")(x)


def classifier(
    x: Tensor, num_classes: int, initial: Initializer = None, bias_initial: Initializer = None
) -> Tensor:
    """The last, fully connected layer.

    By default weights and biases start uniform in +-1 / sqrt(fan in).
    """
    limit = x.shape[-1] ** -0.5
    initial = initial or keras.initializers.RandomUniform(-limit, limit)
    bias_initial = bias_initial or keras.initializers.RandomUniform(-limit, limit)
    return layers.Dense(
        num_classes,
        kernel_initializer=initial,
        bias_initializer=bias_initial,
        dtype="float32",  # logits keep full precision under a mixed policy
        name="logits",
    )(x)


def he_normal() -> Initializer:
    """Normal, not truncated, of variance 2 / (k * k * out) (He et al. 2015, for the fan out)."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def uniform() -> Initializer:
    """Uniform in +-1 / sqrt(fan in), the reference framework's default."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def depthwise_uniform() -> Initializer:
    """The same for `depthwise_conv`, whose fan in is 9; Keras's would count all channels."""
    return keras.initializers.RandomUniform(-1 / 3, 1 / 3)
