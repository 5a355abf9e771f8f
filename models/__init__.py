"""The networks by name: `build(name, input_shape, num_classes)` and `names()`.

To import as `orc_keras.models`: installed they are part of that package, and in a checkout, where
other projects may have a folder `models/` too, it has a link to this one.

The networks consist of stock Keras layers, except for a faster BatchNorm (`normalization.py`).
`orc-keras networks` prints the table of all networks.
"""

import difflib
import itertools
import math
import operator
from collections.abc import Sequence
from types import ModuleType
from typing import Any, get_args

import keras

from orc_keras.models import mobilenet_v2, resnet, shufflenet_v1, shufflenet_v2, vgg, wide_resnet
from orc_keras.models.vgg import VggHead

_FAMILIES = (resnet, wide_resnet, vgg, mobilenet_v2, shufflenet_v1, shufflenet_v2)


def names() -> list[str]:
    """Returns the names that `build` knows."""
    return [name for family in _FAMILIES for name in family.VARIANTS]


def build(
    name: str, input_shape: Sequence[int], num_classes: int, vgg_head: VggHead = "default"
) -> keras.Model:
    """Builds the network `name`, with fresh weights.

    Structure, order of operations, initial distributions and the exact number of parameters are
    those of the field's reference networks (RepDistiller's, Tian et al. 2020; for ImageNet,
    torchvision's).

    Args:
        name: one of `names()`.
        input_shape: `(height, width, channels)` of an image.
        num_classes: number of classes, at least 2.
        vgg_head: "default", or "linear" for a single fully connected layer at the end of a VGG,
            which has three by default (supplement, Table 6). The other networks have one anyway.

    Returns:
        A built `keras.Model` called `name`, from images `[batch, height, width, channels]`
        (floating point, normalised) to float32 logits `[batch, num_classes]`.

    Raises:
        ValueError: if `name` or `vgg_head` is unknown, the image is too small for the network,
            there are fewer than two classes, or Keras's data format is channels-first.

    Examples:
        >>> network = models.build("resnet20", (32, 32, 3), num_classes=100)
        >>> network.output_shape
        (None, 100)
    """
    height, width, channels = map(operator.index, input_shape)
    check_size(name, height, width, vgg_head)
    if num_classes < 2:
        raise ValueError(f"num_classes must be 2 or more, not {num_classes}.")
    if keras.config.image_data_format() != "channels_last":
        raise ValueError("The networks need Keras's image_data_format to be 'channels_last'.")
    family = _family_of(name)
    shape, classes = (height, width, channels), operator.index(num_classes)
    return family.build(name, shape, classes, **_options(family, vgg_head))


def smallest_size(name: str, vgg_head: VggHead = "default") -> int:
    """Returns the smallest height and width of images that the network `name` takes."""
    if vgg_head not in get_args(VggHead):
        possible = ", ".join(get_args(VggHead))
        raise ValueError(f"Unknown vgg_head {vgg_head!r}; possible are {possible}.")
    family = _family_of(name)
    return family.smallest_size(name, **_options(family, vgg_head))


def check_size(name: str, height: int, width: int, vgg_head: VggHead = "default") -> None:
    """Raises ValueError if images of `height` x `width` pixels are too small for a network."""
    smallest = smallest_size(name, vgg_head)
    if min(height, width) < smallest:
        linear = smallest_size(name, "linear")
        hint = f", or {linear} x {linear} with vgg_head=linear" if linear < smallest else ""
        raise ValueError(
            f"Images of {height} x {width} pixels are too small for {name}, which needs at least "
            f"{smallest} x {smallest}{hint}."
        )


def usual_input(name: str) -> tuple[tuple[int, int, int], int]:
    """Returns the image shape and number of classes that the network `name` is designed for."""
    _family_of(name)
    return ((224, 224, 3), 1000) if name.endswith("_imagenet") else ((32, 32, 3), 100)


def family_of(name: str) -> str:
    """Returns the family of the network `name`, such as "wide_resnet": its module's name."""
    return _family_of(name).__name__.rpartition(".")[2]


def parameters(network: keras.Model) -> int:
    """Returns the number of trainable parameters of a network."""
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


def flops(network: keras.Model) -> int:
    """Returns the floating-point operations of a forward pass on one image.

    A multiply-add counts as two. Only convolutions and fully connected layers are counted, without
    biases.

    Args:
        network: one of ours, built.

    Examples:
        >>> models.flops(models.build("resnet20", (32, 32, 3), num_classes=100))
        81637888
    """
    kernels = [
        layer for layer in leaf_layers(network) if getattr(layer, "kernel", None) is not None
    ]
    # A fully connected layer applies its kernel once, a convolution at every position.
    return sum(2 * math.prod((*k.kernel.shape, *k.output.shape[1:-1])) for k in kernels)


def leaf_layers(network: keras.Model) -> list[Any]:
    """Returns the layers of a network in order, those of nested models included."""
    nested = (leaf_layers(x) if hasattr(x, "layers") else [x] for x in network.layers)
    return list(itertools.chain.from_iterable(nested))


def _family_of(name: str) -> ModuleType:
    for family in _FAMILIES:
        if name in list(family.VARIANTS):
            return family
    alike = difflib.get_close_matches(str(name).lower(), names(), n=1)
    hint = f"did you mean {alike[0]}? Possible are" if alike else "possible are"
    raise ValueError(f"Unknown network {name!r}; {hint} {', '.join(names())}.")


def _options(family, vgg_head):
    return {"vgg_head": vgg_head} if family is vgg else {}
