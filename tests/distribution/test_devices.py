"""What a run says of its devices; GPUs are made up, for the tests have none."""

import types

import pytest
import tensorflow as tf
from helpers.devices import replicas

from orc_keras.distribution import devices, strategies


@pytest.fixture
def gpus(monkeypatch):
    """A function that makes TensorFlow see GPUs of these names."""

    def make(*names):
        here = [types.SimpleNamespace(name=name) for name in names]
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: here)
        details = lambda gpu: {"device_name": gpu.name}  # noqa: E731
        monkeypatch.setattr(tf.config.experimental, "get_device_details", details)

    return make


def test_what_it_trains_on(gpus, monkeypatch):
    one, two = replicas(1), replicas(2)
    assert devices.description(two, 64) == "2 logical CPUs, mirrored, 32 images each"
    assert devices.description(one, 64).endswith("TensorFlow sees no GPU")
    gpus("A100")
    assert devices.description(one) == "the GPU (A100)"
    gpus("A100", "A100")
    assert devices.description(one) == "one of 2 GPUs (A100)"
    assert devices.description(two, 64) == "2 GPUs (A100), mirrored, 32 images each"
    monkeypatch.setattr(devices, "machines", lambda _: (["a:1", "b:1"], 0))
    four = types.SimpleNamespace(num_replicas_in_sync=4, cluster_resolver=None)
    said = "2 machines with 2 GPUs (A100), mirrored, 16 images each"
    assert devices.description(four, 64) == said


def test_a_card_that_is_not_used(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "version")
    assert devices.why_no_gpu() == ""
    with pytest.raises(ValueError, match="sees no GPU; no NVIDIA driver is here"):
        devices.check(require_gpu=True)
    devices.check(require_gpu=False)
    (tmp_path / "version").touch()
    # PyTorch's default wheel brings these libraries as well.
    monkeypatch.setattr(devices.importlib.util, "find_spec", {"nvidia": None}.get)
    with pytest.raises(ValueError, match=r'pip install "tensorflow\[and-cuda\]==2'):
        devices.check(require_gpu=True)
    monkeypatch.setattr(devices.importlib.util, "find_spec", {"nvidia": True}.get)
    assert "CUDA_VISIBLE_DEVICES may hide it" in devices.why_no_gpu()
    gpus("A100")
    assert devices.why_no_gpu() == ""
    devices.check(require_gpu=True)


def test_mirrored_needs_gpus(monkeypatch):
    cpu = [types.SimpleNamespace(name="CPU:0", device_type="CPU")]
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind: [] if kind == "GPU" else cpu
    )
    with pytest.raises(ValueError, match="--strategy=mirrored needs GPUs, and TensorFlow sees"):
        strategies._mirrored.__wrapped__()  # what is behind its cache
