"""What a run exports, and what can be exported later."""

import functools
import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from helpers.digits_run import normalised, served

from orc_keras import data
from orc_keras.evaluate.members import load_member
from orc_keras.export import (
    RUN_FORMATS,
    formats,
    measure,
    member,
    model_card,
    onnx_file,
    saved_model,
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
    assert [len(block.splitlines()) for block in blocks] == [4, 5, 1, 5, 4, 4, 4, 4, 5]
    variables = {}
    exec(blocks[0], variables)
    del sys.modules["photo"]
    np.testing.assert_array_equal(variables["images"], images[:1])
    variables["images"] = images[:3]
    for block in blocks[1:]:
        exec(block, variables)
    printed = capsys.readouterr().out
    network = keras.saving.load_model(exported / "student.keras")
    classes = network.predict(normalised(images[:3]), verbose=0).argmax(axis=1)
    assert printed.startswith(str(classes[0])) and printed.count(str(classes)) == 6
    summary = json.loads((exported / "summary.json").read_text())
    accuracy = summary["members"]["hidden8"]["accuracy"]
    assert f"{accuracy:.2%} of 360 held-out images of digits" in card


def test_a_loss_of_accuracy_is_said(exported):
    measured = json.loads((exported / "student/formats.json").read_text())
    measured["tflite-int8"]["accuracy"] = measured["tflite-int8"]["accuracy_of_network"] - 0.021
    card = model_card.text(finished_run(exported).summary, "hidden8", "student", measured)
    assert "**`tflite-int8` loses 2.1 points of accuracy.**" in card
    assert "loses" not in (exported / "student/README.md").read_text().replace("and loses none", "")


def test_any_member_can_be_exported_later(digits_run, held_out, tmp_path):
    """Also in a place that TensorFlow takes for a pattern."""
    run = shutil.copytree(digits_run, tmp_path / r"run[1]\*?")
    _, card = export_member(run, "hidden10")
    network = load_member(finished_run(digits_run), "hidden10")
    logits = saved_model.load(card.parent)(held_out[0])["logits"]
    expected = network.predict(normalised(held_out[0]), verbose=0)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    loaded = keras.saving.load_model(run / "hidden10.keras")
    for ours, theirs in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="hidden10 exists already; delete it to export"):
        export_member(run, "hidden10")
    shutil.rmtree(card.parent)
    written, _ = export_member(run, "hidden10", ["tflite-float16"])
    assert [path.name for path in written] == ["hidden10", "hidden10_float16.tflite"]
    assert "| `hidden10.keras` | | not measured | | |" in card.read_text(), (
        "nobody knows whose it is"
    )


def test_a_student_that_is_exported_again_is_one_of_the_run(digits_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(digits_run, run)
    shutil.rmtree(run / "student")
    (run / "student.keras").unlink()
    (run / "student.tflite").write_bytes(b"damaged, and not written now")
    export_member(run, names=["keras"])
    check = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=run, capture_output=True)
    wrong = [line for line in check.stdout.decode().splitlines() if not line.endswith(": OK")]
    assert wrong == ["student.tflite: FAILED"]


def test_without_the_images(digits_run, tmp_path, monkeypatch):
    """Nothing is written, unless formats that need none are not to be measured."""
    shutil.copytree(digits_run, tmp_path / "run")
    monkeypatch.setattr(member, "load_images", lambda *_: data.load("folder:/nowhere"))
    for name, measures in (("tflite", True), ("tflite-int8", True), ("tflite-int8", False)):
        with pytest.raises(ValueError, match="--dataset=folder:/nowhere"):
            export_member(tmp_path / "run", "hidden12", [name], measure=measures)
    assert not list((tmp_path / "run").glob("hidden12*"))
    _, card = export_member(tmp_path / "run", "hidden12", ["tflite"], measure=False)
    assert "| `hidden12.tflite` | | not measured | | |" in card.read_text()


def test_a_damaged_saved_model_is_not_converted(digits_run, tmp_path):
    """Nor one elsewhere, whose model card would be written."""
    shutil.copytree(digits_run, tmp_path / "run")
    (tmp_path / "run/student").rename(tmp_path / "run/hidden10")
    (tmp_path / "run/student").symlink_to(digits_run / "student")
    with pytest.raises(ValueError, match="student is a link that leads out of the run"):
        export_member(tmp_path / "run", names=["tflite-float16"])
    (tmp_path / "run/student").unlink()
    (tmp_path / "run/hidden10").rename(tmp_path / "run/student")
    measured = tmp_path / "run/student/formats.json"
    for damaged in ("[1]", "{"):
        measured.write_text(damaged)
        with pytest.raises(ValueError, match="formats.json is damaged"):
            export_member(tmp_path / "run", names=["tflite-float16"])
    with open(tmp_path / "run/student/saved_model.pb", "ab") as file:
        file.write(b"?")
    with pytest.raises(ValueError, match="saved_model.pb is damaged, or not of this run"):
        export_member(tmp_path / "run", names=["tflite-float16"])


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


def test_an_operation_that_a_format_lacks_is_named(digits_run, tmp_path):
    inputs = keras.Input((8, 8, 1))
    logits = keras.layers.Dense(10)(keras.layers.Flatten()(keras.ops.erf(inputs)))
    target = tmp_path / "student"
    export = functools.partial(
        member.export,
        keras.Model(inputs, logits),
        "hidden8",
        target,
        finished_run(digits_run).summary,
        None,
    )
    with pytest.raises(tflite.Unsupported, match="(?s)No TensorFlow Lite file in float32: .*Erf"):
        export(["saved_model", "tflite"])
    assert not list(tmp_path.iterdir())
    assert list(export(["saved_model", "keras"])) == ["saved_model", "keras"]


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
