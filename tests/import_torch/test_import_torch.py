"""Checkpoints that PyTorch has written become `.keras` files with the same logits."""

import types

import numpy as np
import pytest
import torch
from helpers import torch_networks

from orc_keras.commands import import_torch
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
    shape = (64, 96, 3) if "imagenet" in name else (32, 32, 3)  # any size, as of a run
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


def behind(prefix, parameters):
    return {f"{prefix}{name}": each for name, each in parameters.items()}


def teacher():
    """Parameters of a larger network, whose names include all of the smaller one's."""
    return torch_networks.build("resnet14", CLASSES).state_dict()


def require_grad(parameters):
    return {n: each.requires_grad_(each.is_floating_point()) for n, each in parameters.items()}


@pytest.mark.parametrize(
    ("wrap", "options"),
    [
        (lambda p: p, {}),
        (lambda p: {"state_dict": behind("module.", p)}, {}),
        (
            lambda p: {"model": p, "optimizer": {"state": {}}},
            {"_use_new_zipfile_serialization": False},
        ),
        (lambda p: behind("model.", p), {}),
        (lambda p: behind("_orig_mod.", p), {}),
        (lambda p: behind("module._orig_mod.model.", p), {}),
        (lambda p: {"model": behind("module.student.", p)}, {}),
        (lambda p: behind("module.student.", p) | behind("module.teacher.", teacher()), {}),
        (require_grad, {}),
    ],
)
def test_wrappings(tmp_path, parameters, wrap, options):
    copied = {name: each.clone() for name, each in parameters.items()}
    ours = converted(tmp_path, wrap(copied), **options)
    kernel = parameters["conv1.weight"].numpy().transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(ours.get_layer("stem_conv").kernel, kernel)
    np.testing.assert_array_equal(ours.get_layer("logits").bias, parameters["fc.bias"])


def test_half_precision_is_read(tmp_path, parameters):
    for kind, bits in ((torch.bfloat16, 8), (torch.float16, 11)):
        halved = {n: p.to(kind) if p.is_floating_point() else p for n, p in parameters.items()}
        ours = converted(tmp_path, halved).get_layer("logits").kernel.numpy()
        exact = parameters["fc.weight"].numpy().T
        np.testing.assert_allclose(ours, exact, rtol=2.0**-bits, atol=1e-7)
        assert ours.dtype == np.float32 and not np.array_equal(ours, exact)


def test_an_existing_file_is_kept(tmp_path, parameters):
    torch.save(parameters, tmp_path / "teacher.pth")
    output = tmp_path / "teacher.keras"
    flag_values = types.SimpleNamespace(network="resnet8", classes=CLASSES, output=str(output))
    import_torch.main(flag_values, [str(tmp_path / "teacher.pth")])
    before = output.read_bytes()
    with pytest.raises(ValueError, match="--output=.*teacher.keras exists; .* another name"):
        import_torch.main(flag_values, [str(tmp_path / "teacher.pth")])
    assert output.read_bytes() == before
    flag_values.output = str(tmp_path / "nowhere" / "teacher.keras")
    with pytest.raises(ValueError, match="--output=.* is in a folder that does not exist"):
        import_torch.main(flag_values, [str(tmp_path / "teacher.pth")])


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
        (
            lambda p: p | {"fc.weight": torch.zeros(100, 64)},
            r"fc.weight of .* the shape \(100, 64\)",
        ),
        (
            lambda p: p | {"fc.bias": torch.full((7,), torch.nan)},
            "teacher.pth cannot be a member: resnet8 has NaN or infinite numbers in logits/bias",
        ),
        (
            lambda p: behind("module.student.", without("fc.bias")(p)),
            r"missing are \['module.student.fc.bias'\], left over \[\]",
        ),
        (
            lambda p: behind("student.", p) | behind("teacher.", p),
            "holds several such networks, behind student. and teacher.; save",
        ),
        (
            lambda p: {"model": Malicious()},
            "weights_only, which reads tensors and runs no code; take a",
        ),
        (lambda p: [1, 2], "holds no parameters by their names"),
        (lambda p: p | {3: p["fc.bias"]}, r"missing are \[\], left over \['3'\]"),
        *[
            (
                lambda p, change=change: p | {"fc.weight": change(p["fc.weight"])},
                f"fc.weight in .*teacher.pth must be a dense tensor of floating.* not {kind}",
            )
            for change, kind in (
                (torch.Tensor.to_sparse, "float32, sparse_coo, cpu; save"),
                (lambda p: torch.quantize_per_tensor(p, 0.1, 0, torch.qint8), "qint8"),
                (lambda p: p.to("meta"), "float32, strided, meta"),
                (lambda p: p.to(torch.complex64), "complex64"),
                (lambda p: p.to(torch.int64), "int64"),
            )
        ],
    ],
)
def test_what_is_refused(tmp_path, parameters, spoil, complaint):
    with pytest.raises(ValueError, match=complaint):
        converted(tmp_path, spoil(dict(parameters)))


def test_a_dict_in_itself(tmp_path, parameters):
    """It is read as what else it holds; other classes than the file has take no memory."""
    state = dict(parameters)
    state["model"] = state
    converted(tmp_path, state)
    with pytest.raises(ValueError, match="teacher.pth has no parameter of 1000000000 rows"):
        convert(str(tmp_path / "teacher.pth"), "resnet8", 10**9)


def test_a_truncated_checkpoint_is_refused(tmp_path, parameters):
    path = tmp_path / "teacher.pth"
    torch.save(parameters, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="cannot be loaded by PyTorch's weights_only"):
        convert(str(path), "resnet8", CLASSES)
