"""The names that PyTorch's networks give to the parameters of ours.

They are those of RepDistiller (Tian et al. 2020) and mdistiller, whose checkpoints are the same,
and for the ImageNet ResNets torchvision's.
"""

import re

from orc_keras import models

# Our layers with weights, except `logits`: a conv or BatchNorm of the stem, of a block, or the end.
_LAYER = re.compile(r"^(?:(?:stage|row)(\d+)_)?(?:(?:block|unit)(\d+)_)?(\w+?)_(conv|bn)$")
_RESNET = {
    "stem": "{kind}1",
    "shortcut": "layer{stage}.{block}.downsample.{index}",
    "block": "layer{stage}.{block}.{kind}{number}",
    "logits": "fc",
}
# PyTorch's modules by the part of ours; "block" is any part that is not named. `number` counts the
# convolutions of a block, `index` the modules (convolution, BatchNorm, ReLU, ...) of a sequence.
_MODULES = {
    "resnet": _RESNET,
    "resnet_v2": _RESNET
    | {"shortcut": "layer{stage}.{block}.shortcut.{index}", "logits": "linear"},
    "wide_resnet": {
        "stem": "{kind}1",
        "last": "{kind}1",
        "shortcut": "block{stage}.layer.{block}.convShortcut",
        "block": "block{stage}.layer.{block}.{kind}{number}",
        "logits": "fc",
    },
    "vgg": {"block": "block{row}.{index}", "logits": "classifier"},
    "mobilenet_v2": {
        "stem": "conv1.{index}",
        "last": "conv2.{index}",
        "block": "blocks.{row}.{block}.conv.{index}",
        "logits": "classifier.0",
    },
    "shufflenet_v1": _RESNET | {"logits": "linear"},
    "shufflenet_v2": _RESNET | {"last": "{kind}2", "logits": "linear"},
}
_NUMBERS = {"expand": 1, "depthwise": 2, "project": 3}  # of MobileNetV2's convolutions
_NUMBERS |= {"left1": 1, "left2": 2, "right1": 3, "right2": 4, "right3": 5}  # of ShuffleNetV2's


def module_of(network: str, layer: str) -> str:
    """Returns the name of the PyTorch module that corresponds to a layer.

    Args:
        network: a name in `models.names()`.
        layer: the name of one of its layers that has weights.

    Example:

    >>> module_of("wrn_40_2", "stage1_block2_1_conv"), module_of("wrn_40_2", "logits")
    ('block1.layer.1.conv1', 'fc')
    """
    family = models.family_of(network)
    if network in ("resnet18", "resnet34", "resnet50"):  # in RepDistiller's `resnetv2.py`
        family = "resnet_v2"
    modules = _MODULES[family]
    if layer == "logits":
        return modules["logits"]
    [(stage, block, part, kind)] = _LAYER.findall(layer)
    stage, block = int(stage or 0), int(block or 0) - 1
    number = int(part) if part.isdecimal() else _NUMBERS.get(part, 1)
    if part.startswith("right") and block > 0:  # only a stage's first block has a left branch
        number -= 2
    index = 3 * (number - 1) + (kind == "bn")
    return modules.get(part, modules["block"]).format(
        stage=stage, row=stage - 1, block=block, kind=kind, number=number, index=index
    )
