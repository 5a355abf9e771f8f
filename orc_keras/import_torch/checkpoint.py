"""Reads a PyTorch checkpoint, and copies its weights into a network of ours."""

from pathlib import Path

import keras
import numpy as np

from orc_keras import models
from orc_keras.import_torch.parameter_names import module_of

WRAPPINGS = ("model", "state_dict", "net", "model_state_dict")
PARALLEL = "module."  # what torch.nn.DataParallel puts before each name
COUNTER = "num_batches_tracked"  # of a BatchNorm; it has no use here


def read(path):
    """Returns the parameters in a checkpoint, NumPy arrays by name.

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
    state = _loaded(path)
    while isinstance(state, dict) and (inner := [w for w in WRAPPINGS if _holds(state, w)]):
        state = state[inner[0]]
    tensors = state.items() if isinstance(state, dict) else ()
    arrays = {name: value.numpy() for name, value in tensors if hasattr(value, "numpy")}
    if not arrays:
        raise ValueError(f"{path} holds no parameters by their names, a state dict.")
    return {name.removeprefix(PARALLEL): value for name, value in arrays.items()}


def _holds(state, wrapping):
    return isinstance(state.get(wrapping), dict)


def _loaded(path):
    try:
        import torch
    except ImportError as error:
        raise ValueError("PyTorch reads its checkpoints: pip install torch.") from error
    # Many checkpoints have a best accuracy, a scalar of NumPy, which is no code.
    scalar, _ = np.float64(0).__reduce__()
    scalars = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    scalars += [np.dtype, *(type(np.dtype(kind)) for kind in ("f8", "f4"))]
    try:
        with torch.serialization.safe_globals(scalars):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged files
        if " global" in str(error).lower():
            reason = "it holds more than tensors, and code in it is not run"
        else:
            reason = "it is damaged, or not a file that PyTorch has saved"
        raise ValueError(f"{path} cannot be loaded: {reason}.") from error


def fill(network, arrays):
    """Copies parameters into the layers of a network.

    Args:
        network: one of `models`, whose name is known there.
        arrays: PyTorch's parameters by name.

    Raises:
        ValueError: if parameters are missing, left over, of another shape, or not finite; the
            message names them. Then the network is unchanged.
    """
    weights = dict(_correspondence(network))
    given = {name for name in arrays if not name.endswith(COUNTER)}
    _complain("lacks", [name for name in weights if name not in given], network)
    _complain("has", [name for name in arrays if name in given - set(weights)], network, " too")
    values = {name: _as_ours(weight, arrays[name]) for name, weight in weights.items()}
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


def _correspondence(network):
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


def _as_ours(weight, array):
    """Returns PyTorch's parameter with its axes in the order of ours."""
    if array.ndim == 2:  # fully connected
        return array.T
    if array.ndim == 4:  # a convolution: out, in, height, width
        depthwise = weight.shape[-1] == 1 and array.shape[1] == 1
        return array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return array


def _complain(what, names, network, more=""):
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
        raise ValueError(
            f"The checkpoint {what} {shown}{more}; a {network.name} has {len(network.weights)} "
            "parameters, in names of RepDistiller, mdistiller or torchvision."
        )
