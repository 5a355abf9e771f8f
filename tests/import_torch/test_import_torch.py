"""Checkpoints that PyTorch has written become `.keras` files with the same logits."""

import numpy as np
import pytest
import torch
from helpers import torch_networks

from orc_keras import models
from orc_keras.import_torch import convert

NETWORKS = ["resnet8x4", "wrn_16_2", "vgg8", "shufflenet_v2"]
LARGER = ["mobilenet_v2", "shufflenet_v1", "resnet50", "resnet18_imagenet"]
NETWORKS += [pytest.param(name, marks=pytest.mark.slow) for name in LARGER]
CLASSES = 7


def converted(tmp_path, state, network="resnet8", **options):
    torch.save(state, tmp_path / "teacher.pth", **options)
    return convert(str(tmp_path / "teacher.pth"), network, CLASSES)


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_pytorchs(tmp_path, name):
    theirs = torch_networks.build(name, CLASSES)
    state = {"epoch": 240, "model": theirs.state_dict(), "best_acc": np.float64(75.6)}
    ours = converted(tmp_path, state, name)
    shape, _ = models.usual_input(name)
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy()
    assert ours.name == name and np.ptp(expected) > 0.1
    np.testing.assert_allclose(
        ours(images), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max()
    )


@pytest.fixture(scope="module")
def parameters():
    return torch_networks.build("resnet8", CLASSES).state_dict()


@pytest.mark.parametrize(
    ("wrap", "options"),
    [
        (lambda p: p, {}),
        (lambda p: {"state_dict": {f"module.{name}": each for name, each in p.items()}}, {}),
        (
            lambda p: {"model": p, "optimizer": {"state": {}}},
            {"_use_new_zipfile_serialization": False},
        ),
    ],
)
def test_wrappings(tmp_path, parameters, wrap, options):
    ours = converted(tmp_path, wrap(parameters), **options)
    kernel = parameters["conv1.weight"].numpy().transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(ours.get_layer("stem_conv").kernel, kernel)


def without(name):
    return lambda p: {key: each for key, each in p.items() if key != name}


class Malicious:
    def __reduce__(self):
        return (open, ("/tmp/code_has_run", "w"))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without("layer2.0.bn1.weight"), r"missing are \['layer2.0.bn1.weight'\], left over \[\]"),
        (lambda p: p | {"fc2.bias": torch.zeros(3)}, r"missing are \[\], left over \['fc2.bias'\]"),
        (lambda p: p | {"fc.weight": torch.zeros(100, 64)}, r"fc.weight has the shape \(100, 64\)"),
        (lambda p: p | {"fc.bias": torch.full((7,), torch.nan)}, "fc.bias has NaN or infinite"),
        (lambda p: {"model": Malicious()}, "weights_only, which reads tensors and runs no code:\n"),
        (lambda p: [1, 2], "holds no parameters by their names"),
    ],
)
def test_what_is_refused(tmp_path, parameters, spoil, complaint):
    with pytest.raises(ValueError, match=complaint):
        converted(tmp_path, spoil(dict(parameters)))


def test_a_truncated_checkpoint_is_refused(tmp_path, parameters):
    path = tmp_path / "teacher.pth"
    torch.save(parameters, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="cannot be loaded by PyTorch's weights_only"):
        convert(str(path), "resnet8", CLASSES)
