"""The names that PyTorch's networks give to the parameters of ours.

They are those of RepDistiller (Tian et al. 2020) and mdistiller, whose checkpoints are the same,
and for the ImageNet ResNets torchvision's.
"""

import re

from orc_keras import models

# Our layers: a conv or BatchNorm of the stem, of a block's part, or at the end; and the classifier.
_LAYER = re.compile(
    r"(?:(?:stage|row)(?P<stage>\d+)_)?(?:(?:block|unit)(?P<block>\d+)_)?"
    r"(?P<part>\w+?)_(?P<kind>conv|bn)|logits"
)
_PLACES = {"expand": 0, "depthwise": 3, "project": 6}  # in a block of MobileNetV2
_DOWN = {"left1": 1, "left2": 2, "right1": 3, "right2": 4, "right3": 5}  # of ShuffleNetV2
_FEW_STAGES = 3  # of the ResNets for CIFAR


def module_of(network, layer):
    """Returns the name of the PyTorch module that corresponds to a layer.

    Args:
        network: a name in `models.names()`.
        layer: the name of one of its layers that has weights.

    Example:

    >>> module_of("wrn_40_2", "stage1_block2_1_conv"), module_of("wrn_40_2", "logits")
    ('block1.layer.1.conv1', 'fc')
    """
    family = models.family_of(network)
    found = _LAYER.fullmatch(layer)
    if layer == "logits":
        return {"vgg": "classifier", "mobilenet_v2": "classifier.0"}.get(family) or (
            "linear" if family.startswith("shuffle") or _is_v2(network) else "fc"
        )
    stage, block, part, kind = found.group("stage", "block", "part", "kind")
    where = int(stage or 0), int(block or 0) - 1, part, kind, int(kind == "bn")
    return _OF_FAMILY[family](network, *where)


def _is_v2(network):
    """Whether a network is in RepDistiller's `resnetv2.py`: ResNets with four stages."""
    return network in ("resnet18", "resnet34", "resnet50")


def _resnet(network, stage, block, part, kind, number):
    if part == "stem":
        return f"{kind}1"
    if part == "shortcut":
        return f"layer{stage}.{block}.{'shortcut' if _is_v2(network) else 'downsample'}.{number}"
    return f"layer{stage}.{block}.{kind}{part}"


def _wide_resnet(network, stage, block, part, kind, number):
    if part in ("stem", "last"):
        return f"{kind}1"
    if part == "shortcut":
        return f"block{stage}.layer.{block}.convShortcut"
    return f"block{stage}.layer.{block}.{kind}{part}"


def _vgg(network, stage, block, part, kind, number):
    return f"block{stage - 1}.{3 * (int(part) - 1) + number}"  # conv, BatchNorm, ReLU


def _mobilenet_v2(network, stage, block, part, kind, number):
    if part in ("stem", "last"):
        return f"conv{1 if part == 'stem' else 2}.{number}"
    return f"blocks.{stage - 1}.{block}.conv.{_PLACES[part] + number}"


def _shufflenet_v1(network, stage, block, part, kind, number):
    return f"{kind}1" if part == "stem" else f"layer{stage}.{block}.{kind}{part}"


def _shufflenet_v2(network, stage, block, part, kind, number):
    if part in ("stem", "last"):
        return f"{kind}{1 if part == 'stem' else 2}"
    place = _DOWN[part] if block == 0 else int(part.removeprefix("right"))
    return f"layer{stage}.{block}.{kind}{place}"


_OF_FAMILY = {
    "resnet": _resnet,
    "wide_resnet": _wide_resnet,
    "vgg": _vgg,
    "mobilenet_v2": _mobilenet_v2,
    "shufflenet_v1": _shufflenet_v1,
    "shufflenet_v2": _shufflenet_v2,
}
