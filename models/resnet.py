"""ResNets (He et al. 2016), from the supplement's Tables 1 to 4.

- `resnet8` ... `resnet110`: the CIFAR form, three stages of (depth - 2) / 6 basic blocks.
- `resnet8x4` ... `resnet32x4`: the same, with four times the channels, and a stem of 32.
- `resnet18`, `resnet34`, `resnet50`: the ImageNet form with a stem for small images: a 3 x 3
  convolution of stride 1, no pooling.
- `resnet18_imagenet` ... `resnet34_imagenet`: the ImageNet form. 22 and 28 are the supplement's
  own (Table 3).

A shortcut across a change of shape is a 1 x 1 convolution with BatchNorm.
"""

from typing import NamedTuple

import keras
from keras import layers

from orc_keras.models.parts import Tensor, average_pool, classifier, conv_bn, conv_bn_relu, relu


class Variant(NamedTuple):
    """The sizes of a ResNet; each stage but the first halves the image."""

    stem: int  # channels
    widths: tuple[int, ...]  # channels of each stage
    blocks: tuple[int, ...]  # in each stage
    bottleneck: bool = False  # blocks of three convolutions, the last of 4 x width channels
    imagenet: bool = False  # the stem quarters the image


def _cifar(depth, stem, *widths):
    return Variant(stem, widths, ((depth - 2) // 6,) * 3)


def _imagenet(*blocks, **kwargs):
    return Variant(64, (64, 128, 256, 512), blocks, **kwargs)


CIFAR_DEPTHS = (8, 14, 20, 26, 32, 44, 56, 110)
VARIANTS = {
    **{f"resnet{depth}": _cifar(depth, 16, 16, 32, 64) for depth in CIFAR_DEPTHS},
    **{f"resnet{depth}x4": _cifar(depth, 32, 64, 128, 256) for depth in (8, 14, 26, 32)},
    "resnet18": _imagenet(2, 2, 2, 2),
    "resnet34": _imagenet(3, 4, 6, 3),
    "resnet50": _imagenet(3, 4, 6, 3, bottleneck=True),
    "resnet18_imagenet": _imagenet(2, 2, 2, 2, imagenet=True),
    "resnet22_imagenet": _imagenet(2, 3, 3, 2, imagenet=True),
    "resnet28_imagenet": _imagenet(3, 3, 4, 3, imagenet=True),
    "resnet34_imagenet": _imagenet(3, 4, 6, 3, imagenet=True),
}


def smallest_size(name: str) -> int:
    """Returns the image size that ends at 1 pixel after all halvings."""
    variant = VARIANTS[name]
    return 2 ** (len(variant.widths) - 1) * (4 if variant.imagenet else 1)


def build(name: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Builds the ResNet `name`; see `models.build`."""
    variant = VARIANTS[name]
    block = bottleneck_block if variant.bottleneck else basic_block
    images = keras.Input(input_shape, name="images")
    if variant.imagenet:
        x = imagenet_stem(images, variant.stem)
    else:
        x = conv_bn_relu(images, variant.stem, "stem")
    for stage, (width, blocks) in enumerate(zip(variant.widths, variant.blocks), start=1):
        for number in range(1, blocks + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = block(x, width, strides, f"stage{stage}_block{number}")
    return keras.Model(images, classifier(average_pool(x), num_classes), name=name)


def imagenet_stem(images: Tensor, width: int) -> Tensor:
    """A 7 x 7 convolution and 3 x 3 max pooling, each of stride 2."""
    x = conv_bn_relu(images, width, "stem", kernel_size=7, strides=2)
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)  # after ReLU, padding with 0 acts as -inf
    return layers.MaxPooling2D(3, 2, name="stem_pool")(x)


def basic_block(x: Tensor, width: int, strides: int, name: str) -> Tensor:
    """Two 3 x 3 convolutions and a shortcut."""
    y = conv_bn_relu(x, width, f"{name}_1", strides=strides)
    y = conv_bn(y, width, f"{name}_2")
    return add_shortcut(x, y, strides, name)


def bottleneck_block(x: Tensor, width: int, strides: int, name: str) -> Tensor:
    """1 x 1, 3 x 3 and 1 x 1 convolutions, the last with four times the channels; a shortcut."""
    y = conv_bn_relu(x, width, f"{name}_1", kernel_size=1)
    y = conv_bn_relu(y, width, f"{name}_2", strides=strides)
    y = conv_bn(y, 4 * width, f"{name}_3", kernel_size=1)
    return add_shortcut(x, y, strides, name)


def add_shortcut(x: Tensor, y: Tensor, strides: int, name: str) -> Tensor:
    """Adds a block's input `x`, projected if necessary, to its output `y`; then ReLU."""
    if strides != 1 or x.shape[-1] != y.shape[-1]:
        x = conv_bn(x, y.shape[-1], f"{name}_shortcut", kernel_size=1, strides=strides)
    return relu(layers.Add(name=f"{name}_add")([y, x]), name)
