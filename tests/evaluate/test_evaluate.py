"""A finished run, or what it exported, evaluated."""

import dataclasses
import functools
import json
import os
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import folders
from helpers.digits_run import CLASSES, normalised
from helpers.networks import linear_network
from helpers.programs import PROGRAM, programs
from PIL import Image

from orc_keras import checksums, data
from orc_keras.evaluate import evaluation
from orc_keras.export.exported import ExportedNetwork
from orc_keras.runs import RunDirectory, finished_run, predictions
from orc_keras.runs.images import load_images


def accuracies(network, held_out):
    """Accuracy on each class, computed by Keras from normalised images."""
    images, labels = held_out
    hits = network.predict(normalised(images), verbose=0).argmax(axis=1) == labels
    return {name: hits[labels == i].mean() for i, name in enumerate(CLASSES)}, hits.mean()


@pytest.mark.parametrize("options", [{}, {"memory_gb": 0}, {"validation_fraction": 0.5}])
def test_misclassified_images_and_their_files(tmp_path, options):
    """Each name, from the folder on, is that of the picture; one that is no UTF-8 is text too."""
    root = folders.fill(tmp_path, classes=("cat", "dog", "elk"), number=6)
    os.rename(root / "val" / "cat" / "0.png", os.fsencode(root) + b"/val/cat/\xff.png")
    images = folders.load(root, **options)
    network = linear_network("linear", images.image_shape, 3)
    evaluated = evaluation.evaluate_group({"linear": network}, images, 8)
    assert evaluated.files.keys() == evaluated.examples.keys() != set()
    for position, name in evaluated.files.items():
        if name != r"val/cat/\xff.png":
            picture = np.asarray(Image.open(root / name))
            np.testing.assert_array_equal(picture, evaluated.examples[position])
    predictions.write(evaluated, tmp_path / "evaluation.npz")
    assert predictions.read(tmp_path / "evaluation.npz").files == evaluated.files


@pytest.mark.parametrize("member", ["", "hidden10"])
def test_a_member_is_evaluated(digits_run, held_out, member):
    description, measures, recorded = evaluation.evaluate_member(digits_run, member)
    assert recorded["top_1"] == measures["top_1"]
    assert description == f"{member or 'hidden8'} of {digits_run} on digits"
    group = keras.saving.load_model(digits_run / "checkpoints" / "group.keras")
    by_class, accuracy = accuracies(group.members[member or "hidden8"], held_out)
    assert measures["accuracy_by_class"] == pytest.approx(by_class)
    assert measures["top_1"] == pytest.approx(accuracy) and measures["images"] == 360


def evaluate_exported(path, *arguments):
    return evaluation.evaluate_exported(ExportedNetwork(path), *arguments)


@pytest.mark.parametrize("suffix", ["", ".tflite"])
def test_an_exported_network_is_evaluated_on_files_of_some_classes(
    digits_run, held_out, folder, tmp_path, suffix
):
    shutil.copytree(digits_run / "student", tmp_path / "a pattern [1]")
    shutil.copy(digits_run / "student.tflite", tmp_path / "a pattern [1].tflite")
    student = tmp_path / f"a pattern [1]{suffix}"
    result = evaluate_exported(student, f"folder:{folder}")
    measures = result.measures
    assert result.description.endswith(f"folder:{folder} (all {measures['images']} images)")
    by_class, _ = accuracies(keras.saving.load_model(digits_run / "student.keras"), held_out)
    assert measures["accuracy_by_class"].pop("7") is None
    del by_class["7"]
    assert measures["accuracy_by_class"] == pytest.approx(by_class)
    member = evaluation.evaluate_member(digits_run, dataset=f"folder:{folder}")
    assert member.measures["top_1"] == pytest.approx(measures["top_1"]) and not member.recorded
    whole = evaluate_exported(digits_run / f"student{suffix}", "digits").measures
    assert whole["accuracy_by_class"]["7"] is not None and whole["images"] == 360


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 12, 3)])
def test_a_network_is_evaluated_on_photos_at_its_own_size(tmp_path, shape):
    """Only the centre of each photo has the colour of its class; the border, an eighth, is white.

    The network sees the brightest red and green, so that with the border it could not tell.
    """
    for split, size in (("train", 32), ("val", 16), ("val", 80)):
        for name, colour in (("cat", (200, 0, 90)), ("dog", (0, 200, 90))):
            pixels = np.full((size, size, 3), 255, np.uint8)
            border = size // 16
            pixels[border:-border, border:-border] = colour
            (tmp_path / split / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / split / name / f"{size}.png")
    layers = [keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(2, use_bias=False)]
    network = keras.Sequential([keras.Input(shape), *layers])
    network.set_weights([np.eye(3, 2)])
    network.save(tmp_path / "teacher.keras")
    result = evaluation.evaluate_network(str(tmp_path / "teacher.keras"), f"folder:{tmp_path}")
    assert result.measures["accuracy_by_class"] == {"cat": 1.0, "dog": 1.0}
    assert result.measures["images"] == 4


def test_a_run_without_its_checkpoints(digits_run, tmp_path):
    """The student can be evaluated; it is compared with what was recorded, and no damage passes."""
    left_out = shutil.ignore_patterns("checkpoints", "tensorboard")
    run = shutil.copytree(digits_run, tmp_path / "run", ignore=left_out)
    evaluated = evaluation.evaluate_member(run, dataset="digits")
    assert evaluated.recorded and evaluated.mismatches() == []
    with pytest.raises(ValueError, match="group.keras is missing"):
        evaluation.evaluate_member(run, "hidden10")
    summary = json.loads((run / "summary.json").read_text())
    summary["members"]["hidden8"]["accuracy"] += 1 / 360
    (run / "summary.json").write_text(json.dumps(summary))
    checksums.update(run, [run / "summary.json"])
    (deviation,) = evaluation.evaluate_member(run).mismatches()
    assert re.fullmatch(r"top_1 is 0\.\d+, recorded 0\.\d+", deviation)
    (run / "student.keras").write_bytes((run / "student.keras").read_bytes()[:-1])
    with pytest.raises(ValueError, match="student.keras is damaged"):
        evaluation.evaluate_member(run)


def test_images_that_have_moved(digits_run, tmp_path, monkeypatch):
    """A run is compared with its record where the images are those of the run, and only there."""
    images = data.load("digits")
    run = finished_run(digits_run)
    settings = dataclasses.replace(run.settings, dataset="idx:there")
    monkeypatch.setattr(RunDirectory, "settings", settings)
    loaded = images
    monkeypatch.setattr(data, "load", functools.wraps(data.load)(lambda *_, **__: loaded))
    assert evaluation.evaluate_member(digits_run, dataset="idx:here").recorded
    loaded = dataclasses.replace(images, notes={"files": "of others"})
    assert not evaluation.evaluate_member(digits_run, dataset="idx:here").recorded


@pytest.mark.slow
def test_the_programs(digits_run, folder, tmp_path):
    run = shutil.copytree(digits_run, tmp_path / "run")
    paths = sorted((folder / "3").iterdir())[:2]
    shown, written, as_json, report = programs(
        [*PROGRAM, "predict", f"--run={run}", paths[0], "nothing.png", paths[1]],
        [*PROGRAM, "evaluate", f"--run={run}"],
        [*PROGRAM, "evaluate", f"--run={run}", "--format=json"],
        [*PROGRAM, "report", run, run],
    )
    (line,) = [line for line in written.stdout.splitlines() if "recorded" in line]
    assert line == "The figures are the recorded ones, to the digit."
    assert shown.returncode == 1
    assert shown.stderr == "orc-keras predict: nothing.png is not a file.\n"
    lines = shown.stdout.splitlines()
    assert [lines[0], lines[6]] == list(map(str, paths)) and len(lines) == 12
    assert all(re.fullmatch(r" *\d+\.\d%  \d", line) for line in lines[1:6])
    assert (written.returncode, written.stderr) == (0, "")
    measures = json.loads(as_json.stdout)
    row = f"top-1 accuracy +{measures['top_1']:.2%}\n"
    assert re.search(row.replace(".", "[.]"), written.stdout)
    assert (report.returncode, report.stderr) == (0, "")
    assert report.stdout == f"Wrote {run}/report/report.html.\n"


def test_bad_input(digits_run, folder, tmp_path):
    def refused(message, function, *arguments):
        with pytest.raises(ValueError, match=message):
            function(*arguments)

    member, model = evaluation.evaluate_member, evaluate_exported
    refused("holds no finished run", member, tmp_path)
    refused("--member=wrn is not in the run; possible are hidden12, ", member, digits_run, "wrn")
    refused("is missing", model, tmp_path, "digits")
    refused("must have a folder for each class", member, digits_run, "", f"folder:{tmp_path}")
    shutil.copytree(digits_run / "student", tmp_path / "student")
    (tmp_path / "student" / "class_names.txt").write_text("0\n1\n")
    refused("is damaged", ExportedNetwork, tmp_path / "student")
    other = tmp_path / "other" / "seventeen"
    other.mkdir(parents=True)
    path = next((folder / "3").iterdir())
    shutil.copy(path, other)
    unknown = "1 classes that the network does not know, such as 'seventeen'; it knows 0, 1"
    refused(unknown, model, digits_run / "student", f"folder:{other.parent}")
    refused(unknown, member, digits_run, "", f"folder:{other.parent}")
    with pytest.raises(ValueError, match="is no exported network: a SavedModel's directory, or"):
        ExportedNetwork(digits_run / "summary.json")
    with pytest.raises(ValueError, match="is a run; its student is .*/student"):
        ExportedNetwork(digits_run)
    lone = shutil.copy(digits_run / "student.tflite", tmp_path / "lone.tflite")
    with pytest.raises(ValueError, match="is no exported network"):
        ExportedNetwork(lone)


def test_images_are_uint8(digits_run, held_out):
    """What TensorFlow casts without a word is refused, as arrays by us, as tensors by itself."""
    images = held_out[0][:2]
    network = ExportedNetwork(digits_run / "student")
    for floats in (images / 255, (images / 255).astype(np.float32)):
        with pytest.raises(ValueError, match="must be of type uint8, 0 to 255, not float"):
            network.predict(floats)
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a uint8 tensor"):
            tf.saved_model.load(digits_run / "student").signatures["serving_default"](
                images=tf.convert_to_tensor(floats)
            )


def test_other_images_than_those_of_the_run(digits_run, monkeypatch):
    images = data.load("digits")
    other = dataclasses.replace(images, held_out=images.train)
    monkeypatch.setattr(data, "load", functools.wraps(data.load)(lambda *_, **__: other))
    with pytest.raises(ValueError, match="images of digits are not those .* held_out_images diff"):
        load_images(finished_run(digits_run))
