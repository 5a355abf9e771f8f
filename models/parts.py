"""What the families share, as the field's reference networks have it.

Each function takes a tensor and returns the next one; `name` is the start of the names of the
layers that it adds. Layers are made in the order in which a reference network lists them.
"""

import keras
from keras import layers

from models.normalization import BatchNormalization


def conv(x, width, name, kernel_size=3, strides=1, groups=1, use_bias=False, initial=None):
    """Convolution that pads `kernel_size // 2` pixels on each side."""
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


def depthwise_conv(x, name, strides, initial):
    """3 x 3 convolution of each channel by itself, that pads one pixel on each side."""
    x, padding = _pad(x, name, 3, strides)
    return layers.DepthwiseConv2D(
        3, strides, padding, use_bias=False, depthwise_initializer=initial, name=f"{name}_conv"
    )(x)


def _pad(x, name, kernel_size, strides):
    """Pads where Keras's "same" would not pad all sides alike, and returns the padding that is
    left to the convolution.
    """
    if strides == 1:
        return x, "same"
    if kernel_size > 1:
        x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    return x, "valid"


def batch_norm(x, name):
    """BatchNorm whose moving statistics keep 0.9 of the old value at each step."""
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def relu(x, name):
    """ReLU."""
    return layers.ReLU(name=f"{name}_relu")(x)


def conv_bn(x, width, name, **options):
    """Convolution, then BatchNorm; options as for `conv`."""
    return batch_norm(conv(x, width, name, **options), name)


def conv_bn_relu(x, width, name, **options):
    """Convolution, BatchNorm, ReLU; options as for `conv`."""
    return relu(conv_bn(x, width, name, **options), name)


def channel_shuffle(x, groups, name):
    """Deals the channels of each group out to all groups (Zhang et al. 2018, section 3.1)."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, groups, channels // groups), name=f"{name}_groups")(x)
    x = layers.Permute((1, 2, 4, 3), name=f"{name}_shuffle")(x)
    return layers.Reshape((height, width, channels), name=f"{name}_ungroup")(x)


def average_pool(x):
    """The mean over all positions: `[batch, height, width, channels]` to `[batch, channels]`."""
    return layers.GlobalAveragePooling2D(name="pool")(x)


def classifier(x, num_classes, initial=None, bias_initial=None):
    """The last, fully connected layer.

    Weights and biases start uniform in +-1 / sqrt(fan in), unless a family has its own way.
    """
    limit = x.shape[-1] ** -0.5
    return layers.Dense(
        num_classes,
        kernel_initializer=initial or keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=bias_initial or keras.initializers.RandomUniform(-limit, limit),
        dtype="float32",  # logits keep full precision under a mixed policy
        name="logits",
    )(x)


def he_normal():
    """Normal, not truncated, of variance 2 / (k * k * out) (He et al. 2015, for the fan out)."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def uniform():
    """Uniform in +-1 / sqrt(fan in): what networks get whose authors chose nothing."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def depthwise_uniform():
    """The same for `depthwise_conv`, whose fan in is 9; Keras would count all channels."""
    return keras.initializers.RandomUniform(-1 / 3, 1 / 3)
