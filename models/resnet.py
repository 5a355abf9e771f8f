"""CIFAR ResNets (He et al. 2016, section 4.2): three stages of basic blocks.

Structure, paddings and initial distributions are those of the field's reference networks, in
which a shortcut across a change of shape is a 1 x 1 convolution with BatchNorm.
"""

import keras
from keras import layers

# name -> depth; (depth - 2) / 6 basic blocks a stage
VARIANTS = {f"resnet{depth}": depth for depth in (8, 14, 20, 26, 32, 44, 56, 110)}
STAGE_WIDTHS = (16, 32, 64)
SMALLEST_SIZE = 4  # pixels: two stages halve the image


def build(name, input_shape, num_classes):
    """Builds the CIFAR ResNet `name`; see `models.build`."""
    blocks_per_stage = (VARIANTS[name] - 2) // 6
    images = keras.Input(input_shape, name="images")
    x = conv_bn(images, STAGE_WIDTHS[0], "stem")
    x = layers.ReLU(name="stem_relu")(x)
    for stage, width in enumerate(STAGE_WIDTHS, start=1):
        for block in range(1, blocks_per_stage + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = basic_block(x, width, strides, f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(images, classifier(x, num_classes), name=name)


def basic_block(x, width, strides, name):
    """Two 3 x 3 convolutions and a shortcut; the shortcut is projected where the shape changes."""
    shortcut = x
    if strides != 1 or x.shape[-1] != width:
        shortcut = conv_bn(x, width, f"{name}_shortcut", kernel_size=1, strides=strides)
    x = conv_bn(x, width, f"{name}_1", strides=strides)
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = conv_bn(x, width, f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu")(x)


def conv_bn(x, width, name, kernel_size=3, strides=1):
    """Convolution without bias, then BatchNorm.

    A 3 x 3 kernel pads one pixel on each side: Keras's "same" pads one side only at stride 2.
    """
    if kernel_size == 3:
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = layers.Conv2D(
        width,
        kernel_size,
        strides,
        use_bias=False,
        # variance 2 / (k * k * out), not truncated
        kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def classifier(x, num_classes):
    """The last, fully connected layer; weights and biases start uniform in +-1 / sqrt(fan in)."""
    limit = x.shape[-1] ** -0.5
    return layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        dtype="float32",  # logits keep full precision under a mixed policy
        name="logits",
    )(x)
