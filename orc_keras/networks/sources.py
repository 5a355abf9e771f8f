"""Builds a network from its source: a name in `models/`, a file, code, a pretrained backbone."""

import importlib.util

from orc_keras import models
from orc_keras.networks import code, files, pretrained
from orc_keras.networks.kinds import kind_of, path_of
from orc_keras.networks.member import Images
from orc_keras.runs import checksums


def build(source, image_shape, num_classes, mean=0.0, std=1.0, head="default"):
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
        mean, std: numbers by which the images are normalised, one or one for each channel, in
            units of the largest pixel, 255: a pretrained network undoes that, and then gets what
            it was trained on.
        head: as in `models.build`.

    Returns:
        A built `keras.Model` from normalised images to logits, of the name that the source says. A
        softmax at its end has been taken off, and so have regularizers, each with a warning.

    Raises:
        ValueError: if the source is unknown, missing, damaged, or does not suit the images.

    Example:

    >>> build("resnet8", (8, 8, 1), num_classes=10).name
    'resnet8'
    """
    images = Images(tuple(image_shape), num_classes, mean, std)
    kind = kind_of(source)
    if kind == "name":
        return models.build(source, image_shape, num_classes, head)
    if kind in ("file", "features"):
        return files.build(source, images)
    if kind == "code":
        return code.build(source, images)
    return pretrained.build(source, images)


def check(source, head="default"):
    """Refuses a source that is unknown or missing, before anything heavy is done.

    Raises:
        ValueError: as `build`.
    """
    kind = kind_of(source)
    if "" in source.split(":"):
        raise ValueError(f"{source!r} lacks what should stand before or behind the colon.")
    if kind == "name":
        models.smallest_size(source, head)
    elif kind in ("file", "features"):
        files.check(path_of(source))
    elif kind == "code":
        code.function_of(source)
    else:
        pretrained.check(source)


def checksum(source, network):
    """Returns the SHA-256 of what a source brings in; None for a name in `models/`.

    It is that of a file, of the module in which a function is, or of pretrained weights.

    Args:
        source: the source.
        network: the network that was built from it, with its first weights.
    """
    kind = kind_of(source)
    if kind == "name":
        return None
    if kind == "pretrained":
        return pretrained.checksum(network)
    if kind == "code":
        return checksums.of_file(importlib.util.find_spec(source.partition(":")[0]).origin)
    return checksums.of_file(path_of(source))
