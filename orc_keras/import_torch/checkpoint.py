"""Reads a PyTorch checkpoint, and copies its weights into a network of ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from orc_keras import models
from orc_keras.import_torch.parameter_names import module_of

WRAPPINGS = ("model", "state_dict", "net", "model_state_dict")
PARALLEL = "module."  # what torch.nn.DataParallel puts before each name
COUNTER = "num_batches_tracked"  # of a BatchNorm; it has no use here


def convert(checkpoint: str, network: str, classes: int) -> keras.Model:
    """Returns the network in a PyTorch checkpoint.

    Args:
        checkpoint: a `.pth` file of RepDistiller, mdistiller or torchvision.
        network: its name in `models.names()`. Published VGGs have one fully connected layer.
        classes: their number.

    Raises:
        ValueError: if the checkpoint cannot be read, or is of another network.
    """
    arrays = read(checkpoint)
    image_shape, _ = models.usual_input(network)
    model = models.build(network, image_shape, classes, vgg_head="linear")
    copy_weights(arrays, model)
    return model


def read(path: str) -> dict[str, np.ndarray]:
    """Returns the parameters in a checkpoint, by name.

    A checkpoint is a pickle, which may hold code; PyTorch's `weights_only` reads tensors only.

    Args:
        path: of a `.pth` file: a state dict, perhaps in a dict under "model", "state_dict" or
            "net", perhaps of `torch.nn.DataParallel`.

    Raises:
        ValueError: if PyTorch is not installed; if the file is missing or damaged, holds code, or
            no parameters.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file.")
    state = _load(path)
    while isinstance(state, dict):
        inner = [state[key] for key in WRAPPINGS if isinstance(state.get(key), dict)]
        if not inner:
            break
        state = inner[0]
    tensors = state.items() if isinstance(state, dict) else ()
    arrays = {name: value.numpy() for name, value in tensors if hasattr(value, "numpy")}
    if not arrays:
        raise ValueError(f"{path} holds no parameters by their names, a state dict.")
    return {name.removeprefix(PARALLEL): value for name, value in arrays.items()}


def _load(path: str) -> Any:
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
            f"code:\n{error}"
        ) from error


def copy_weights(arrays: dict[str, np.ndarray], network: keras.Model) -> None:
    """Copies PyTorch's parameters into the layers of a network.

    Args:
        arrays: the parameters by name.
        network: one of `models`, called by its name there.

    Raises:
        ValueError: if parameters are missing, left over, of another shape, or not finite; the
            message names them. Then the network is unchanged.
    """
    weights = dict(_weights_by_name(network))
    arrays = {name: array for name, array in arrays.items() if not name.endswith(COUNTER)}
    _refuse("lacks", [name for name in weights if name not in arrays], network)
    _refuse("also has", [name for name in arrays if name not in weights], network)
    values = {name: _transpose(arrays[name], weight) for name, weight in weights.items()}
    for name, weight in weights.items():
        if values[name].shape != tuple(weight.shape):
            raise ValueError(
                f"{name} has the shape {arrays[name].shape}, which does not fit the "
                f"{tuple(weight.shape)} of {weight.path} in {network.name}."
            )
        if not np.isfinite(values[name]).all():
            raise ValueError(f"{name} has NaN or infinite numbers.")
    for name, weight in weights.items():
        weight.assign(values[name])


def _weights_by_name(network: keras.Model) -> Iterator[tuple[str, Any]]:
    """Yields the name of each PyTorch parameter, and the variable of ours that it becomes."""
    for layer in models.leaf_layers(network):
        if not getattr(layer, "weights", None):
            continue
        module = module_of(network.name, layer.name)
        if isinstance(layer, keras.layers.BatchNormalization):
            yield f"{module}.weight", layer.gamma
            yield f"{module}.bias", layer.beta
            yield f"{module}.running_mean", layer.moving_mean
            yield f"{module}.running_var", layer.moving_variance
            continue
        yield f"{module}.weight", layer.kernel
        if layer.use_bias:
            yield f"{module}.bias", layer.bias


def _transpose(array, weight):
    """Returns PyTorch's parameter with its axes in the order of ours."""
    if array.ndim == 2:  # fully connected
        return array.T
    if array.ndim == 4:  # a convolution: out, in, height, width
        depthwise = weight.shape[-1] == 1 and array.shape[1] == 1
        return array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return array


def _refuse(verb, names, network):
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
        raise ValueError(
            f"The checkpoint {verb} {shown}; a {network.name} has {len(network.weights)} "
            "parameters, in names of RepDistiller, mdistiller or torchvision."
        )
