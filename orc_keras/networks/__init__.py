"""Where a group's networks come from: a name in `models/`, a file, code, a pretrained backbone."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from orc_keras import checksums, models
from orc_keras.groups import members
from orc_keras.networks import pretrained, sources
from orc_keras.networks.adapt import adapt, replace_classifier
from orc_keras.networks.sources import (
    explain_errors,
    import_code,
    kind_of,
    load_model,
    name_of,
)

__all__ = [
    "build",
    "check",
    "checksum",
    "explain_errors",
    "image_size",
    "import_code",
    "kind_of",
    "load_model",
    "name_of",
]


def build(
    source: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
    mean: float | Sequence[float] = 0.0,
    std: float | Sequence[float] = 1.0,
    vgg_head: models.VggHead = "default",
) -> keras.Model:
    """Builds a network that can be a member of a group.

    Args:
        source: where it comes from:

            - `resnet20`: a name in `models.names()`, with fresh weights.
            - `teacher.keras`: a file of a Keras 3 classifier, with its weights. It takes images as
              this group's members get them, normalised; with `raw:` before the path, pixels from 0
              to 255. With `features:` before it, it gets a new last layer, for other classes.
            - `my_networks:tiny`: a function in a module of that name, in the working directory or
              installed, that takes `(image_shape, num_classes)` and returns a `keras.Model`.
            - `applications:MobileNetV2`: one of Keras Applications, with its ImageNet weights and a
              new last layer.
            - `hub:resnet_50_imagenet`: a preset of KerasHub, or a folder of one; the same.

        image_shape: height, width and channels.
        num_classes: C.
        mean: by which the images are normalised, one or one for each channel, in units of the
            largest pixel, 255. A pretrained network undoes that.
        std: the same.
        vgg_head: as in `models.build`.

    Returns:
        A built `keras.Model` from normalised images to logits, of the name that the source says. A
        softmax at its end is removed, and so are regularizers, each with a warning.

    Raises:
        ValueError: if the source is unknown, missing, damaged, does not suit the images, or cannot
            be a member of any group, such as a network that returns probabilities; if code fails.

    Examples:
        >>> build("resnet8", (8, 8, 1), num_classes=10).name
        'resnet8'
    """
    kind, name = kind_of(source), name_of(source)
    if kind == "name":
        return models.build(source, image_shape, num_classes, vgg_head)
    pixels = 255.0 * np.ones(image_shape[-1])
    scale, offset = np.multiply(pixels, std).tolist(), np.multiply(pixels, mean).tolist()
    to_pixels = keras.layers.Rescaling(scale, offset, name="pixels")
    if kind == "pretrained":
        network = pretrained.build(source, name, image_shape, num_classes, to_pixels)
    else:
        preprocess = to_pixels if source.startswith("raw:") else None
        network = _adapted(source, image_shape, num_classes, preprocess)
    with explain_errors(source):
        members.check_member(network)
    return network


def _adapted(source, image_shape, num_classes, preprocess):
    """Returns the network of a file or of code as a member."""
    if kind_of(source) == "code":
        function = import_code(source)
        with explain_errors(source):
            network = function(image_shape, num_classes)
    else:
        checksums.check_in_run(Path(sources.path_of(source)))
        network = sources.load_model(sources.path_of(source))
    with explain_errors(source):
        if kind_of(source) == "features":
            network = replace_classifier(network, num_classes)
        return adapt(network, name_of(source), image_shape, num_classes, preprocess)


def image_size(source: str) -> tuple[int | None, int | None]:
    """Returns the height and width that a network from a source takes, None if any.

    Raises:
        ValueError: if it is a file, and that is missing or damaged, or takes no images.
    """
    if kind_of(source) not in ("file", "features"):
        return None, None
    with explain_errors(source):
        height, width, _ = members.image_shape(sources.load_model(sources.path_of(source)))
    return height, width


def check(source: str, vgg_head: models.VggHead = "default") -> None:
    """Raises ValueError if a source is unknown or missing, before anything heavy is done."""
    kind = kind_of(source)
    if kind == "name":
        models.smallest_size(source, vgg_head)
    elif kind == "pretrained":
        pretrained.check(source)
    elif kind == "code":
        import_code(source)
    else:
        sources.check_file(sources.path_of(source))


def checksum(source: str, network: keras.Model) -> str | None:
    """Returns the SHA-256 of what a source brings in; None for a name in `models/`.

    It is that of a file, of the module of a function, or of the pretrained weights of the
    `network` that was built from the source.
    """
    kind = kind_of(source)
    if kind == "name":
        return None
    return pretrained.checksum(network) if kind == "pretrained" else sources.checksum(source)
