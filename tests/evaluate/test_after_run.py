"""What can be done with a finished run: its files, `evaluate`, `predict`, `export`."""

import dataclasses
import json
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.programs import program

from orc_keras import data, experiment, predict
from orc_keras.evaluate import one_network
from orc_keras.evaluate.__main__ import check_writable
from orc_keras.export import formats, tflite
from orc_keras.export.formats import export_member
from orc_keras.export.saved_model import SavedModel
from orc_keras.export.stock_layers import member_of
from orc_keras.runs.images import held_out_again
from orc_keras.runs.record import finished
from orc_keras.settings import Settings

CLASSES = [str(i) for i in range(10)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The directory of a finished run, whose members learnt alone for an epoch."""
    directory = tmp_path_factory.mktemp("finished") / "run"
    settings = Settings(
        dataset="digits",
        method="alone",
        pivot="resnet8",
        students=("resnet8", "resnet8"),
        epochs=1,
        output_dir=str(directory),
    )
    experiment.prepare(settings)()
    return directory


@pytest.fixture(scope="module")
def held_out():
    """The raw images that were not learnt from, and their classes."""
    images = data.load("digits").held_out
    return images.pixels.numpy(), images.labels.numpy()


@pytest.fixture(scope="module")
def folder(held_out, tmp_path_factory):
    """The held-out digits as files: a folder for each class but the 7."""
    root = tmp_path_factory.mktemp("images")
    for i, (image, label) in enumerate(zip(*held_out)):
        if label != 7:
            (root / str(label)).mkdir(exist_ok=True)
            (root / str(label) / f"{i}.png").write_bytes(tf.io.encode_png(image).numpy())
    return root


def accuracies(network, held_out):
    """Accuracy on each class, computed by Keras from normalised images."""
    digits, (images, labels) = data.load("digits"), held_out
    normalised = ((images / 255 - digits.mean) / digits.std).astype(np.float32)
    hits = network.predict(normalised, verbose=0).argmax(axis=1) == labels
    return {name: hits[labels == i].mean() for i, name in enumerate(CLASSES)}, hits.mean()


def test_members_that_learn_alone_need_no_pivot(run):
    summary = json.loads((run / "summary.json").read_text())
    assert not (run / "pivot_history.csv").exists() and not (run / "roles.npy").exists()
    assert {member["taught"] for member in summary["members"].values()} == {None}
    assert (run / "report" / "calibration.png").exists()


@pytest.mark.parametrize("member", ["", "resnet8_2"])
def test_a_member_is_evaluated(run, held_out, member):
    what, measures = one_network.evaluate_member(run, member)
    assert what == f"{member or 'resnet8_3'} of {run} on digits"
    group = keras.saving.load_model(run / "checkpoints" / "group.keras")
    by_class, accuracy = accuracies(group.members[member or "resnet8_3"], held_out)
    assert measures["accuracy_by_class"] == pytest.approx(by_class)
    assert measures["top_1"] == pytest.approx(accuracy) and measures["images"] == 360


def test_a_saved_model_is_evaluated_on_files_of_some_classes(run, held_out, folder):
    what, measures = one_network.evaluate_saved_model(run / "student", f"folder:{folder}")
    by_class, _ = accuracies(keras.saving.load_model(run / "student.keras"), held_out)
    assert measures["accuracy_by_class"].pop("7") is None
    del by_class["7"]
    assert measures["accuracy_by_class"] == pytest.approx(by_class)
    _, of_member = one_network.evaluate_member(run, dataset=f"folder:{folder}")
    assert of_member["top_1"] == pytest.approx(measures["top_1"])
    _, whole = one_network.evaluate_saved_model(run / "student", "digits")
    assert whole["accuracy_by_class"]["7"] is not None and whole["images"] == 360


def test_the_programs(run, folder, tmp_path):
    paths = sorted((folder / "3").iterdir())[:2]
    options = ("-m", "orc_keras.predict", f"--saved_model={run}/student")
    shown = program(*options, paths[0], tmp_path / "nothing.png", paths[1])
    assert shown.returncode == 1
    assert shown.stderr.splitlines() == [
        f"orc_keras.predict: {tmp_path}/nothing.png is not a file."
    ]
    lines = shown.stdout.splitlines()
    assert [lines[0], lines[6]] == list(map(str, paths)) and len(lines) == 12
    assert all(re.fullmatch(r" *\d+\.\d%  \d", line) for line in lines[1:6])
    written = program("-m", "orc_keras.evaluate", f"--run={run}", f"--json={tmp_path}/out.json")
    assert (written.returncode, written.stderr) == (0, "")
    measures = json.loads((tmp_path / "out.json").read_text())
    row = f"top-1 accuracy +{measures['top_1']:.2%}\n"
    assert re.search(row.replace(".", "[.]"), written.stdout)
    report = program("-m", "orc_keras.report", run, run)
    assert (report.returncode, report.stderr) == (0, "")
    assert report.stdout == f"Wrote {run}/report/report.html.\n"


def test_a_prediction_is_the_most_probable_class(run, held_out, folder):
    network = SavedModel(run / "student")
    path = next((folder / "3").iterdir())
    image = held_out[0][int(path.stem)][None]
    (probabilities,) = (
        tf.saved_model.load(run / "student")
        .signatures["serving_default"](images=tf.constant(image))["probabilities"]
        .numpy()
    )
    best = predict.predict(network, path)
    assert [name for name, _ in best] == [CLASSES[i] for i in np.argsort(-probabilities)[:5]]
    assert [p for _, p in best] == pytest.approx(sorted(probabilities)[:4:-1], rel=1e-5)


def test_the_tflite_file_answers_like_the_network(run, held_out):
    images, labels = held_out
    logits = tflite._logits_of((run / "student.tflite").read_bytes())(images)
    expected = tf.saved_model.load(run / "student").signatures["serving_default"](
        images=tf.constant(images)
    )["logits"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    measured = json.loads((run / "summary.json").read_text())["tflite"]
    assert measured["accuracy"] == pytest.approx((logits.argmax(axis=1) == labels).mean())
    assert abs(measured["accuracy"] - measured["accuracy_of_network"]) <= 0.002


def test_the_code_of_the_model_card_runs(run, held_out, tmp_path, monkeypatch, capsys):
    images, _ = held_out
    (tmp_path / "photo.png").write_bytes(tf.io.encode_png(images[0]).numpy())
    for name in ("student", "student.keras", "student.tflite"):
        (tmp_path / name).symlink_to(run / name)
    monkeypatch.chdir(tmp_path)
    card = (run / "student" / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert [len(block.splitlines()) for block in blocks] == [5, 1, 5, 4]
    given = {"images": images[:3]}
    for block in blocks:
        exec(block, given)
    printed = capsys.readouterr().out
    network = keras.saving.load_model(run / "student.keras")
    digits = data.load("digits")
    normalised = (images[:3] / 255 - digits.mean) / digits.std
    classes = network.predict(normalised, verbose=0).argmax(axis=1)
    assert printed.startswith(str(classes[0])) and printed.count(str(classes)) == 2
    accuracy = json.loads((run / "summary.json").read_text())["members"]["resnet8_3"]["accuracy"]
    assert f"{accuracy:.2%} of 360 held-out images of digits" in card


def test_any_member_can_be_exported_later(run, held_out, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    directory = export_member(tmp_path / "run", "resnet8_2")
    network = member_of(finished(run), "resnet8_2")
    digits = data.load("digits")
    normalised = ((held_out[0] / 255 - digits.mean) / digits.std).astype(np.float32)
    served = tf.saved_model.load(directory).signatures["serving_default"]
    logits = served(images=tf.constant(held_out[0]))["logits"]
    np.testing.assert_allclose(logits, network.predict(normalised, verbose=0), atol=1e-4)
    loaded = keras.saving.load_model(tmp_path / "run" / "resnet8_2.keras")
    for ours, theirs in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert "held-out images, of which the Keras" in (directory / "README.md").read_text()
    with pytest.raises(ValueError, match="resnet8_2 exists already; delete it to export"):
        export_member(tmp_path / "run", "resnet8_2")


def test_a_member_is_exported_also_without_the_images(run, tmp_path, capsys, monkeypatch):
    shutil.copytree(run, tmp_path / "run")
    monkeypatch.setattr(formats, "held_out_again", lambda _: data.load("folder:/nowhere"))
    directory = export_member(tmp_path / "run", "resnet8")
    assert "is not measured. --dataset=folder:/nowhere" in capsys.readouterr().out
    assert "| TensorFlow Lite | not measured |" in (directory / "README.md").read_text()


def test_bad_input(run, folder, tmp_path):
    def refused(message, function, *arguments):
        with pytest.raises(ValueError, match=message):
            function(*arguments)

    member, model = one_network.evaluate_member, one_network.evaluate_saved_model
    refused("holds no finished run", member, tmp_path)
    refused("--member=wrn is not in the run; possible are resnet8, ", member, run, "wrn")
    refused("--member=wrn is not in the run; possible are resnet8, ", export_member, run, "wrn")
    refused("holds no finished run", export_member, tmp_path, "resnet8")
    refused("is not a whole SavedModel with class_names.txt", model, tmp_path, "digits")
    refused("must have a folder for each class", member, run, "", f"folder:{tmp_path}")
    shutil.copytree(run / "student", tmp_path / "student")
    (tmp_path / "student" / "class_names.txt").write_text("0\n1\n")
    refused("is not a whole SavedModel", SavedModel, tmp_path / "student")
    other = tmp_path / "other" / "seventeen"
    other.mkdir(parents=True)
    path = next((folder / "3").iterdir())
    shutil.copy(path, other)
    unknown = "1 classes that the network does not know, such as 'seventeen'; it knows 0, 1"
    refused(unknown, model, run / "student", f"folder:{other.parent}")
    refused(unknown, member, run, "", f"folder:{other.parent}")
    (tmp_path / "colour" / "3").mkdir(parents=True)
    image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    (tmp_path / "colour" / "3" / "1.png").write_bytes(tf.io.encode_png(image).numpy())
    message = "images have 3 channels, but the networks of the run in .* take 1"
    refused(message, member, run, "", f"folder:{tmp_path}/colour")
    large = tmp_path / "large.png"
    large.write_bytes(tf.io.encode_png(np.zeros((16, 16, 1), np.uint8)).numpy())
    (tmp_path / "text.png").write_text("no image")
    network = SavedModel(run / "student")
    wrong = {
        "large.png": "has 16 x 16 pixels",
        "text.png": "is not an image that can be read",
        "colour/3/1.png": "is in colour, but the network takes grey images",
    }
    for name, what in wrong.items():
        message = f"{name} {what}.*; .* takes undamaged PNGs, .*, of 8 x 8 x 1 unless"
        refused(message, predict.predict, network, tmp_path / name)
    refused("--json=.* cannot be written", check_writable, str(tmp_path / "no" / "a.json"))


def test_images_are_uint8(run, held_out):
    """What TensorFlow casts without a word is refused, as arrays by us, as tensors by itself."""
    images = held_out[0][:2]
    network = SavedModel(run / "student")
    served = network.answer(images)["logits"]
    files = [tf.io.encode_png(image).numpy() for image in images]
    np.testing.assert_allclose(network.answer(files)["logits"], served, atol=1e-5)
    for floats in (images / 255, (images / 255).astype(np.float32)):
        with pytest.raises(ValueError, match="takes images of type uint8, 0 to 255, not float"):
            network.answer(floats)
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a uint8 tensor"):
            tf.saved_model.load(run / "student").signatures["serving_default"](
                images=tf.convert_to_tensor(floats)
            )


def test_other_images_than_those_of_the_run(run, monkeypatch):
    images = data.load("digits")
    other = dataclasses.replace(images, held_out=images.train)
    monkeypatch.setattr(data, "load", lambda *_, **__: other)
    with pytest.raises(ValueError, match="images of digits are not those .* held_out_images diff"):
        held_out_again(finished(run))
