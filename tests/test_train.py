"""A run of train.py, seen from the outside."""

import csv
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.programs import program, programs, serve

from orc_keras import data

pytestmark = pytest.mark.slow  # a program that trains, and one that serves

FLAGS = [
    "--dataset=digits",
    "--pivot=resnet8",
    "--students=resnet8,resnet8",
    "--pivot_epochs=1",
    "--epochs=2",
    "--decay_epochs=1",
    "--batch_size=128",
    "--deterministic",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of train.py: its directory, and what it printed."""
    directory = tmp_path_factory.mktemp("run") / "first"
    return directory, program("train.py", *FLAGS, f"--output_dir={directory}")


def test_the_run_directory_is_whole(trained):
    directory, run = trained
    assert run.returncode == 0, run.stderr
    for name in (
        "settings.flags",
        "data.json",
        "history.csv",
        "pivot_history.csv",
        "tensorboard/group",
        "checkpoints/group.keras",
        "checkpoints/pivot.keras",
        "roles.npy",
        "student.keras",
        "student.tflite",
        "student/saved_model.pb",
        "student/README.md",
        "evaluation.npz",
        "report/report.html",
        "report/roles.png",
        "summary.json",
    ):
        assert (directory / name).exists(), name
    assert (directory / "student" / "class_names.txt").read_text().split() == list("0123456789")
    with open(directory / "history.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]


def test_the_terminal_is_calm(trained):
    """No start-up warnings, a bar of the student's numbers, the table at the end."""
    _, run = trained
    assert run.stderr == ""
    devices, first, second, *_ = run.stdout.splitlines()
    assert re.fullmatch(r"On the CPU \(\d+ cores?\): TensorFlow sees no GPU.", devices)
    assert first == "Images: 1,437 for training, 360 held out (from test); 10 classes; 8 x 8 x 1"
    assert second == "The pivot learns alone: resnet8 (epochs: 1)."
    lines = [line for line in run.stdout.splitlines() if line.startswith("epoch ")]
    figures = r"accuracy \d+\.\d\d%, held out \d+\.\d\d%, [\d,]+ images/s"
    for line in lines:
        assert re.fullmatch(rf"epoch . of .: {figures}, \d+:\d\d gone, \d:\d\d left", line), line
    assert [line[:12] for line in lines] == ["epoch 1 of 1", "epoch 1 of 2", "epoch 2 of 2"]
    assert lines[-1].endswith(" 0:00 left") and run.stdout.count("Compiling the step") == 2
    table = results(run).splitlines()
    assert table[0].split() == ["member", "parameters", "held-out", "accuracy", "taught"]
    assert [row.split()[0] for row in table[1:4]] == ["resnet8", "resnet8_2", "resnet8_3"]


def results(run):
    """What is printed from the table on."""
    return run.stdout[run.stdout.index("member  ") :]


def test_the_summary_is_that_of_the_last_epoch(trained):
    directory, _ = trained
    summary = json.loads((directory / "summary.json").read_text())
    with open(directory / "history.csv") as file:
        *_, last = csv.DictReader(file)
    assert summary["settings"]["batch_size"] == 128 and summary["seed"] == 0
    assert summary["versions"]["keras"] == keras.__version__
    assert sum(summary["seconds_of_stages"].values()) == pytest.approx(summary["seconds"], abs=0.2)
    assert summary["seconds"] > 0 and summary["images_per_second"] > 0
    assert [m["role"] for m in summary["members"].values()] == [
        "pivot",
        "immature teacher",
        "student",
    ]
    for name, member in summary["members"].items():
        assert member["parameters"] == 77_754  # 83,892 less 90 classes of 65, less 288 of the stem
        assert member["accuracy"] == pytest.approx(float(last[f"val_{name}_accuracy"]))
    taught = [m["taught"] for m in summary["members"].values()]
    assert taught[0] is None and sum(taught[1:]) == pytest.approx(1)


def test_the_student_answers_without_this_project(trained, tmp_path):
    directory, _ = trained
    digits = data.load("digits")
    images, labels = digits.held_out.pixels.numpy(), digits.held_out.labels.numpy()
    answers = serve(directory / "student", images, tmp_path)
    student = keras.saving.load_model(directory / "student.keras")
    normalised = (images / 255 - np.array(digits.mean)) / np.array(digits.std)
    logits = student.predict(normalised.astype(np.float32), verbose=0)
    np.testing.assert_allclose(answers["logits"], logits, atol=1e-4)
    probabilities = keras.ops.softmax(logits)
    np.testing.assert_allclose(answers["probabilities"], probabilities, atol=1e-4)
    np.testing.assert_array_equal(answers["classes"], logits.argmax(axis=1))
    summary = json.loads((directory / "summary.json").read_text())
    accuracy = (answers["classes"] == labels).mean()
    assert accuracy == pytest.approx(summary["members"]["resnet8_3"]["accuracy"], abs=1e-6)
    of_pixels = student(images.astype(np.float32))
    np.testing.assert_allclose(answers["keras"], of_pixels, atol=1e-5 * np.abs(of_pixels).max())


def test_the_student_refuses_images_of_another_shape(trained):
    student = tf.saved_model.load(trained[0] / "student").signatures["serving_default"]
    for shape in ((1, 16, 16, 1), (1, 16, 8, 1), (1, 8, 8, 3)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected shape \[\?,8,8,1\]"):
            student(images=tf.zeros(shape, tf.uint8))


def test_a_finished_run_is_shown_and_never_overwritten(trained):
    directory, first = trained
    before = {path: path.stat().st_mtime_ns for path in directory.rglob("*")}
    flags = [*FLAGS, f"--output_dir={directory}"]
    again, other = programs(["train.py", *flags], ["train.py", *flags, "--epochs=3"])
    assert again.returncode == 0 and "holds this run, finished" in again.stdout
    assert results(again).strip() == results(first).partition("\n\nThe student is in")[0]
    assert other.returncode == 1 and "holds a run with other settings" in other.stderr
    assert before == {path: path.stat().st_mtime_ns for path in directory.rglob("*")}
