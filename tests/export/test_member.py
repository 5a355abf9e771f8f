"""What can be exported of a run later."""

import functools
import shutil
import subprocess

import keras
import numpy as np
import pytest
from helpers.digits_run import normalised

from orc_keras import data
from orc_keras.evaluate.members import load_member
from orc_keras.export import (
    member,
    saved_model,
    tflite,
)
from orc_keras.export.member import export_member
from orc_keras.runs import finished_run


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
    with pytest.raises(ValueError, match="student leads out of the run by a link"):
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
