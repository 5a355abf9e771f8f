"""What a run exports."""

import json
import re
import shutil
import sys

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from helpers.digits_run import normalised, served

from orc_keras import data
from orc_keras.export import (
    RUN_FORMATS,
    formats,
    measure,
    model_card,
    onnx_file,
    tflite,
)
from orc_keras.export.member import export_member
from orc_keras.runs import finished_run

LATER = ("tflite-float16", "tflite-int8", "tflite-int8-weights", "onnx")


@pytest.fixture(scope="module")
def exported(digits_run, tmp_path_factory):
    """The run with all formats of the student that need no browser."""
    run = tmp_path_factory.mktemp("exported") / "run"
    shutil.copytree(digits_run, run)
    export_member(run, names=LATER, calibration_images=50)
    return run


def test_every_format_answers_like_the_network(exported, held_out):
    """Each by its own runtime, with the same names, for any number of images."""
    images, labels = held_out
    expected = served(exported / "student", images)
    for name in ("keras", "tflite", *LATER):
        path = formats.path_of(exported / "student", name)
        run = formats.FORMATS[name].load(path, data.load("digits").description(), None)
        answers, one = run(images), run(images[:1])
        assert answers.keys() == {"logits", "probabilities", "classes"} == one.keys()
        tolerance = 0.1 if "int8" in name else 0.01 if "float16" in name else 1e-4
        differences = np.abs(answers["logits"] - expected["logits"])
        assert (differences.mean() if "int8" in name else differences.max()) < tolerance
        np.testing.assert_allclose(one["logits"], answers["logits"][:1], atol=1e-5)
        np.testing.assert_allclose(np.sum(answers["probabilities"], axis=1), 1, atol=0.02)
        assert (np.argmax(answers["probabilities"], axis=1) == answers["classes"]).mean() > 0.99


def test_what_is_measured_is_so(exported, held_out):
    """By the runtimes themselves, beside the card and the list of measures."""
    images, labels = held_out
    measured = json.loads((exported / "student/formats.json").read_text())
    assert list(measured) == ["saved_model", "keras", "tflite", *LATER]
    session = onnxruntime.InferenceSession(exported / "student.onnx")
    (logits,) = session.run(["logits"], {"images": images})
    of_onnx = measured["onnx"]
    assert of_onnx["accuracy"] == pytest.approx((logits.argmax(axis=1) == labels).mean())
    assert of_onnx["bytes"] == (exported / "student.onnx").stat().st_size
    network = keras.saving.load_model(exported / "student.keras")
    expected = network.predict(normalised(images), verbose=0)
    classes = tflite.load(exported / "student_int8.tflite")(images)["logits"].argmax(axis=1)
    agreement = np.mean(classes == expected.argmax(axis=1))
    assert measured["tflite-int8"]["agreement"] == pytest.approx(agreement)
    assert of_onnx["accuracy_of_network"] == np.mean(expected.argmax(axis=1) == labels)
    summary = json.loads((exported / "summary.json").read_text())
    assert summary["formats"] == {name: measured[name] for name in RUN_FORMATS}
    card = (exported / "student/README.md").read_text()
    assert f"| `student_int8.tflite` | {measured['tflite-int8']['bytes'] / 1e3:,.0f} kB |" in card


def test_eight_bits_are_integers_all_through(exported):
    """The input stays uint8; every layer with weights takes and gives int8."""
    layers = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}
    operations = operations_of(exported / "student_int8.tflite")
    found = [(inputs, outputs) for name, inputs, outputs in operations if name in layers]
    assert found and all(inputs[:2] == ["int8"] * 2 for inputs, _ in found)
    assert all(outputs == ["int8"] for _, outputs in found)
    assert any("uint8" in inputs for _, inputs, _ in operations)
    operations = operations_of(exported / "student_int8_weights.tflite")
    assert all(inputs[0] == "float32" for name, inputs, _ in operations if name in layers)


def operations_of(path):
    """Returns each operation of a file, with the types of its inputs and outputs."""
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    run = Interpreter(str(path), experimental_op_resolver_type=resolver)
    types = {each["index"]: np.dtype(each["dtype"]).name for each in run.get_tensor_details()}
    return [
        (each["op_name"], *([types.get(i) for i in each[key]] for key in ("inputs", "outputs")))
        for each in run._get_ops_details()
    ]


def test_calibration_images_are_training_images_cut_as_in_evaluation():
    digits = data.load("digits")
    some = measure.representative_dataset(digits, 10)
    positions = np.linspace(0, len(digits.train) - 1, 10).astype(int)
    np.testing.assert_array_equal(some, digits.train.pixels.numpy()[positions])


def test_the_code_of_the_model_card_runs(exported, held_out, tmp_path, monkeypatch, capsys):
    images, _ = held_out
    (tmp_path / "photo.png").write_bytes(tf.io.encode_png(images[0]).numpy())
    for path in exported.glob("student*"):
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "photo", raising=False)  # another student's
    card = (exported / "student" / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert [len(block.splitlines()) for block in blocks] == [5, 5, 1, 5, 4, 5]
    variables = {}
    exec(blocks[0], variables)
    del sys.modules["photo"]
    np.testing.assert_array_equal(variables["images"], images[:1])
    variables["images"] = images[:3]
    for block in blocks[1:]:
        for suffix in ["", "_float16", "_int8", "_int8_weights"] if ".tflite" in block else [""]:
            exec(block.replace(".tflite", f"{suffix}.tflite"), variables)
    printed = capsys.readouterr().out
    network = keras.saving.load_model(exported / "student.keras")
    classes = network.predict(normalised(images[:3]), verbose=0).argmax(axis=1)
    # TensorFlow, four files of TensorFlow Lite, ONNX; and Keras, all images
    named = re.findall(r"^(\d) (?:\[|tf[.])", printed, re.MULTILINE)
    assert named == 6 * [str(classes[0])] and printed.count(str(classes)) == 1
    summary = json.loads((exported / "summary.json").read_text())
    accuracy = summary["members"]["hidden8"]["accuracy"]
    assert f"{accuracy:.2%} of 360 held-out images of digits" in card


def test_a_loss_of_accuracy_is_said(exported):
    measured = json.loads((exported / "student/formats.json").read_text())
    measured["tflite-int8"]["accuracy"] = measured["tflite-int8"]["accuracy_of_network"] - 0.021
    card = model_card.text(finished_run(exported).summary, "hidden8", "student", measured)
    assert "**`tflite-int8` loses 2.1 points of accuracy.**" in card
    assert "loses" not in (exported / "student/README.md").read_text().replace("and loses none", "")


def test_what_cannot_be_written_leaves_everything_as_it_was(exported, monkeypatch):
    """As on a full disk, in the last of several formats."""

    def fails(lite, path):
        path.write_bytes(lite[:10])
        raise OSError("No space left on device")

    for name in ("tflite-float16", "onnx"):
        formats.path_of(exported / "student", name).unlink()
    before = {path: path.stat().st_mtime_ns for path in exported.rglob("*")}
    monkeypatch.setattr(onnx_file, "write", fails)
    with pytest.raises(OSError, match="student.onnx cannot be written: No space left"):
        export_member(exported, names=["tflite-float16", "onnx"])
    assert {path: path.stat().st_mtime_ns for path in exported.rglob("*")}.keys() == before.keys()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["onxx"], "--formats=onxx is unknown; possible are saved_model, keras, tflite, "),
        ([], "--formats= is unknown; possible are"),
        (["tflite", "onnx"], r"pip install 'orc-keras\[onnx\]'"),
    ],
)
def test_refused_formats(digits_run, monkeypatch, names, message):
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(ValueError, match=message):
        export_member(digits_run, names=names)
