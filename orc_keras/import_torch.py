"""Published PyTorch checkpoints as networks of `models/`."""

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from orc_keras import models
from orc_keras.groups.members import check_member
from orc_keras.networks import explain_errors

# Parameters of PyTorch by the name of ours; a BatchNorm's scale is called as a layer's kernel.
PARAMETERS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# PyTorch's modules by the part of ours, in RepDistiller (Tian et al. 2020) and mdistiller, whose
# checkpoints are the same, and for the ImageNet ResNets in torchvision. "block" is any part that is
# not named. `number` counts the convolutions of a block, `index` the modules (convolution,
# BatchNorm, ReLU, ...) of a sequence.
RESNET = {
    "stem": "{kind}1",
    "shortcut": "layer{stage}.{block}.downsample.{index}",
    "block": "layer{stage}.{block}.{kind}{number}",
    "logits": "fc",
}
MODULES = {
    "resnet": RESNET,
    "resnet_v2": RESNET | {"shortcut": "layer{stage}.{block}.shortcut.{index}", "logits": "linear"},
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
    "shufflenet_v1": RESNET | {"logits": "linear"},
    "shufflenet_v2": RESNET | {"last": "{kind}2", "logits": "linear"},
}
NUMBERS = {"expand": 1, "depthwise": 2, "project": 3}  # of MobileNetV2's convolutions
NUMBERS |= {"left1": 1, "left2": 2, "right1": 3, "right2": 4, "right3": 5}  # of ShuffleNetV2's
# Our layers with weights, except `logits`: a conv or BatchNorm of the stem, of a block, or the end.
LAYER = re.compile(r"^(?:(?:stage|row)(\d+)_)?(?:(?:block|unit)(\d+)_)?(\w+?)_(conv|bn)$")


def convert(checkpoint: str, network: str, classes: int) -> keras.Model:
    """Returns the network in a PyTorch checkpoint; one for ImageNet takes images of any size.

    Args:
        checkpoint: a `.pth` file of RepDistiller, mdistiller or torchvision: a state dict, perhaps
            in a dict under "model" or "state_dict". What other modules put before all names, such
            as `torch.nn.DataParallel`'s "module.", is left out.
        network: its name in `models.names()`. Published VGGs have one fully connected layer.
        classes: their number.

    Raises:
        ValueError: if PyTorch is not installed; if the checkpoint is missing or damaged, or holds
            code; if parameters are missing, left over, of another shape or kind, or not finite, or
            if it holds several such networks.
    """
    state = _read(checkpoint)
    if classes not in {tensor.shape[0] for tensor in state.values() if tensor.ndim}:
        raise ValueError(f"{checkpoint} has no parameter of {classes} rows, one for each class.")
    model = _build(network, classes)
    weights = dict(_weights_by_name(model))
    tensors, prefix = _network_of(state, weights, checkpoint)
    missing = [prefix + name for name in weights if name not in tensors]
    more = [prefix + name for name in tensors if name not in weights]
    if missing or more:
        raise ValueError(
            f"{checkpoint} is not of a {network}, as RepDistiller, mdistiller and torchvision name "
            f"its parameters: missing are {missing[:3]}, left over {more[:3]}."
        )
    for name, weight in weights.items():
        value = _transpose(tensors[name], weight)
        if tuple(value.shape) != tuple(weight.shape):
            raise ValueError(
                f"{prefix}{name} of {checkpoint} has the shape {tuple(tensors[name].shape)}, which "
                f"does not fit the {tuple(weight.shape)} of {weight.path} in {network}."
            )
        weight.assign(value.float().numpy())  # perhaps bfloat16, which NumPy lacks
    with explain_errors(checkpoint):
        check_member(model)
    return model


def _build(network, classes):
    (height, width, channels), _ = models.usual_input(network)
    model = models.build(network, (height, width, channels), classes, vgg_head="linear")
    if network.endswith("_imagenet"):
        return keras.models.clone_model(model, keras.Input((None, None, channels)))
    return model


def _network_of(
    tensors: dict[str, Any], names: Collection[str], checkpoint: str
) -> tuple[dict[str, Any], str]:
    """Returns the parameters whose names are such behind some prefix, by these, and the prefix.

    If no prefix gives exactly the names, it is the one that gives most.
    """

    def behind(prefix):
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    pairs = itertools.product(tensors, names)
    prefixes = Counter(n.removesuffix(end) for n, end in pairs if f".{n}".endswith(f".{end}"))
    whole = [prefix for prefix, number in prefixes.items() if number >= len(names)]
    exact = [prefix for prefix in whole if behind(prefix).keys() == {*names}]
    if len(exact) > 1:
        raise ValueError(
            f"{checkpoint} holds several such networks, behind {' and '.join(exact)}; save the "
            "parameters of one of them to a file of their own."
        )
    *_, prefix = ["", *(name for name, _ in prefixes.most_common(1)), *exact]
    return behind(prefix), prefix


def _read(path: str) -> dict[str, Any]:
    """Returns the parameters in a checkpoint, tensors by name."""
    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file.")
    state = _load(path)
    for wrapping in ("model", "state_dict"):
        state = state.get(wrapping, state) if isinstance(state, dict) else state
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds no parameters by their names, a state dict.")
    tensors = {
        str(name): value.detach()
        for name, value in state.items()
        if hasattr(value, "detach") and not str(name).endswith("num_batches_tracked")
    }
    for name, tensor in tensors.items():
        is_dense = str(tensor.layout) == "torch.strided" and not tensor.is_nested
        if not (is_dense and tensor.is_floating_point() and tensor.device.type == "cpu"):
            kind = f"{tensor.dtype}, {tensor.layout}, {tensor.device}".replace("torch.", "")
            raise ValueError(
                f"{name} in {path} must be a dense tensor of floating-point numbers, not {kind}; "
                "save the state dict of the network as it was before it was quantised or pruned."
            )
    return tensors


def _load(path: str) -> Any:
    """Returns what a checkpoint holds; it is a pickle, of which only tensors are read, no code."""
    try:
        import torch
    except ImportError as error:
        raise ValueError("PyTorch reads its checkpoints: pip install torch.") from error
    # Many checkpoints have a best accuracy, a scalar of NumPy, which is no code.
    scalar, _ = np.float64(0).__reduce__()
    scalars: list[Any] = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    scalars += [np.dtype, *(type(np.dtype(kind)) for kind in ("f8", "f4"))]
    try:
        with torch.serialization.safe_globals(scalars):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged files
        raise ValueError(
            f"{path} cannot be loaded by PyTorch's weights_only, which reads tensors and runs no "
            f"code; take a state dict that torch.save has written:\n{error}"
        ) from error


def _weights_by_name(network: keras.Model) -> Iterator[tuple[str, Any]]:
    """Yields the name of each PyTorch parameter, and the variable of ours that it becomes."""
    for layer in models.leaf_layers(network):
        for weight in getattr(layer, "weights", ()):
            yield f"{module_of(network.name, layer.name)}.{PARAMETERS[weight.name]}", weight


def _transpose(tensor, weight):
    """Returns PyTorch's parameter with its axes in the order of ours."""
    if tensor.ndim == 2:  # fully connected
        return tensor.T
    if tensor.ndim == 4:  # a convolution: out, in, height, width
        depthwise = weight.shape[-1] == 1 and tensor.shape[1] == 1
        return tensor.permute((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return tensor


def module_of(network: str, layer: str) -> str:
    """Returns the name of the PyTorch module that corresponds to a layer with weights.

    Examples:
        >>> module_of("wrn_40_2", "stage1_block2_1_conv"), module_of("wrn_40_2", "logits")
        ('block1.layer.1.conv1', 'fc')
    """
    family = models.family_of(network)
    if network in ("resnet18", "resnet34", "resnet50"):  # in RepDistiller's `resnetv2.py`
        family = "resnet_v2"
    if family not in MODULES:
        raise ValueError(f"{network} is not known from PyTorch.")
    modules = MODULES[family]
    if layer == "logits":
        return modules["logits"]
    [(stage, block, part, kind)] = LAYER.findall(layer)
    stage, block = int(stage or 0), int(block or 0) - 1
    number = int(part) if part.isdecimal() else NUMBERS.get(part, 1)
    if part.startswith("right") and block > 0:  # only a stage's first block has a left branch
        number -= 2
    index = 3 * (number - 1) + (kind == "bn")
    return modules.get(part, modules["block"]).format(
        stage=stage, row=stage - 1, block=block, kind=kind, number=number, index=index
    )
