"""Members from Keras Applications and KerasHub, with files of random weights."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers.programs import ROOT

from orc_keras import networks

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("VGG16", "vgg16"),  # blue, green and red
        ("DenseNet121", "densenet"),
        ("EfficientNetB0", "efficientnet"),  # pixels as they are
    ],
)
def test_pixels_are_preprocessed_as_the_authors_did(monkeypatch, tmp_path, name, module):
    def average(include_top, weights, input_shape, pooling, name):
        average_pool = keras.layers.GlobalAveragePooling2D()
        return keras.Sequential([keras.Input(input_shape), average_pool], name=name)

    average.__module__ = getattr(keras.applications, name).__module__
    monkeypatch.setattr(keras.applications, name, average)
    member = networks.build(f"applications:{name}", (3, 3, 3), 5, mean=(0.3, 0.4, 0.5), std=0.2)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3)).astype(np.float32)
    theirs = getattr(keras.applications, module).preprocess_input(pixels.copy())
    kernel, bias = member.get_layer("logits").get_weights()
    expected = theirs.mean((1, 2)) @ kernel + bias
    normalised = (pixels / 255 - np.array([0.3, 0.4, 0.5])) / 0.2
    np.testing.assert_allclose(member(normalised), expected, rtol=1e-4, atol=1e-3)
    member.save(tmp_path / "member.keras")
    again = keras.saving.load_model(tmp_path / "member.keras")
    np.testing.assert_allclose(again(normalised), expected, rtol=1e-4, atol=1e-3)


BUILDS = """
import sys
import keras
import numpy as np
from orc_keras import networks

theirs = keras.applications.MobileNetV2(
    include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
theirs.save(sys.argv[1])
member = networks.build("applications:MobileNetV2", (32, 32, 1), 5, mean=(0.3,), std=(0.2,))
pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1)).astype("float32")
kernel, bias = member.get_layer("logits").get_weights()
coloured = keras.applications.mobilenet_v2.preprocess_input(np.repeat(pixels, 3, axis=-1))
expected = theirs(coloured).numpy() @ kernel + bias
np.testing.assert_allclose(member((pixels / 255 - 0.3) / 0.2), expected, rtol=1e-3, atol=1e-4)
try:
    networks.build("applications:MobileNetV2", (28, 28, 1), 5)
except ValueError as error:
    print(member.name, error)
"""


@pytest.mark.slow
def test_an_application_gets_what_it_was_trained_on(tmp_path):
    """In a process of its own, because Keras asks for KERAS_HOME when it is imported."""
    (tmp_path / "models").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILDS, str(tmp_path / "models" / WEIGHTS)],
        cwd=ROOT,
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("mobilenetv2 MobileNetV2 cannot be loaded"), done.stderr
    assert "Input size must be at least 32x32" in done.stdout


def test_weights_that_cannot_be_downloaded_are_named(monkeypatch):
    def unreachable(**_):
        raise Exception("URL fetch failure on https://host/weights_no_top.h5: None -- no network")

    monkeypatch.setattr(keras.applications, "MobileNetV2", unreachable)
    with pytest.raises(
        ValueError, match="put its file of weights into models/ .*https://host/weights_no_top.h5"
    ):
        networks.build("applications:MobileNetV2", (32, 32, 3), 5)


def test_damaged_weights_are_refused(monkeypatch):
    def damaged(include_top, weights, input_shape, pooling, name):
        bias = keras.initializers.Constant(np.nan)
        layers = [keras.layers.Flatten(), keras.layers.Dense(3, bias_initializer=bias)]
        return keras.Sequential([keras.Input(input_shape), *layers], name=name)

    damaged.__module__ = keras.applications.VGG16.__module__
    monkeypatch.setattr(keras.applications, "VGG16", damaged)
    message = "^applications:VGG16 cannot be a member: vgg16 has NaN or infinite numbers in"
    with pytest.raises(ValueError, match=message):
        networks.build("applications:VGG16", (4, 4, 3), 5)


def test_a_preset_of_kerashub_in_a_folder(tmp_path):
    import keras_hub

    backbone = keras_hub.models.ResNetBackbone(
        [64], [3], [64], [1], [1], "basic_block", image_shape=(None, None, 3)
    )
    backbone.save_to_preset(str(tmp_path))
    scaling = {"scale": [0.1, 0.2, 0.3], "offset": -1.0}
    keras_hub.layers.ResNetImageConverter(**scaling).save_to_preset(str(tmp_path))
    member = networks.build(f"hub:{tmp_path}", (8, 8, 3), 5, mean=(0.3, 0.4, 0.5), std=(0.2,) * 3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
    kernel, bias = member.get_layer("logits").get_weights()
    features = backbone(pixels * scaling["scale"] - 1).numpy().mean((1, 2))
    normalised = (pixels / 255 - np.array([0.3, 0.4, 0.5])) / 0.2
    expected = features @ kernel + bias
    np.testing.assert_allclose(member(normalised), expected, rtol=1e-3, atol=1e-3)
    with pytest.raises(
        ValueError, match="not_there cannot be loaded; it must be a preset of images"
    ):
        networks.build(f"hub:{tmp_path}/not_there", (8, 8, 3), 5)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("applications:MobileNet2", "no 'MobileNet2'; there are .*MobileNetV2"),
        ("hub:", " cannot be loaded; it must be a preset of images"),
        (":", "Empty module name"),
    ],
)
def test_backbones_that_there_are_not(source, complaint):
    with pytest.raises(ValueError, match=complaint):
        networks.check(source)
        networks.build(source, (32, 32, 3), 5)
