"""What a run exports, and what can be exported later."""

import json
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.digits_run import normalised, served

from orc_keras import data
from orc_keras.export import formats, tflite
from orc_keras.export.formats import export_member
from orc_keras.export.stock_layers import member_of
from orc_keras.runs.record import finished


def test_the_tflite_file_answers_like_the_network(digits_run, held_out):
    images, labels = held_out
    logits = tflite._logits_of((digits_run / "student.tflite").read_bytes())(images)
    expected = served(digits_run / "student", images)["logits"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    measured = json.loads((digits_run / "summary.json").read_text())["tflite"]
    assert measured["accuracy"] == pytest.approx((logits.argmax(axis=1) == labels).mean())
    assert abs(measured["accuracy"] - measured["accuracy_of_network"]) <= 0.002


def test_the_code_of_the_model_card_runs(digits_run, held_out, tmp_path, monkeypatch, capsys):
    images, _ = held_out
    (tmp_path / "photo.png").write_bytes(tf.io.encode_png(images[0]).numpy())
    for name in ("student", "student.keras", "student.tflite"):
        (tmp_path / name).symlink_to(digits_run / name)
    monkeypatch.chdir(tmp_path)
    card = (digits_run / "student" / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert [len(block.splitlines()) for block in blocks] == [5, 1, 5, 4]
    given = {"images": images[:3]}
    for block in blocks:
        exec(block, given)
    printed = capsys.readouterr().out
    network = keras.saving.load_model(digits_run / "student.keras")
    classes = network.predict(normalised(images[:3]), verbose=0).argmax(axis=1)
    assert printed.startswith(str(classes[0])) and printed.count(str(classes)) == 2
    accuracy = json.loads((digits_run / "summary.json").read_text())["members"]["hidden8"][
        "accuracy"
    ]
    assert f"{accuracy:.2%} of 360 held-out images of digits" in card


def test_any_member_can_be_exported_later(digits_run, held_out, tmp_path):
    shutil.copytree(digits_run, tmp_path / "run")
    directory = export_member(tmp_path / "run", "hidden10")
    network = member_of(finished(digits_run), "hidden10")
    logits = served(directory, held_out[0])["logits"]
    expected = network.predict(normalised(held_out[0]), verbose=0)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    loaded = keras.saving.load_model(tmp_path / "run" / "hidden10.keras")
    for ours, theirs in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert "held-out images, of which the Keras" in (directory / "README.md").read_text()
    with pytest.raises(ValueError, match="hidden10 exists already; delete it to export"):
        export_member(tmp_path / "run", "hidden10")


def test_a_member_is_exported_also_without_the_images(digits_run, tmp_path, capsys, monkeypatch):
    shutil.copytree(digits_run, tmp_path / "run")
    monkeypatch.setattr(formats, "held_out_again", lambda _: data.load("folder:/nowhere"))
    directory = export_member(tmp_path / "run", "hidden12")
    assert "is not measured. --dataset=folder:/nowhere" in capsys.readouterr().out
    assert "| TensorFlow Lite | not measured |" in (directory / "README.md").read_text()
