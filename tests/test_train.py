"""Whole runs: one of train.py from the outside, others with tiny networks in this process."""

import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import hidden_network

import models
import train
from orc_keras import data, experiment
from orc_keras.export import export_member
from orc_keras.run_directory import RunDirectory
from orc_keras.settings import Settings

ROOT = Path(__file__).parent.parent
FLAGS = [
    "--dataset=digits",
    "--pivot=resnet8",
    "--students=resnet8,resnet8",
    "--pivot_epochs=1",
    "--epochs=2",
    "--batch_size=128",
]


def program(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


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
        "history.csv",
        "pivot_history.csv",
        "tensorboard/group",
        "checkpoints/group.keras",
        "checkpoints/pivot.keras",
        "student.keras",
        "student/saved_model.pb",
        "summary.json",
    ):
        assert (directory / name).exists(), name
    with open(directory / "history.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]


def test_the_terminal_is_calm(trained):
    """No start-up warnings, a bar of the student's numbers, the table at the end."""
    _, run = trained
    assert run.stderr == ""
    assert run.stdout.startswith("The pivot learns alone: resnet8 (epochs: 1).")
    assert "val_accuracy" in run.stdout and "resnet8_2_loss" not in run.stdout
    table = run.stdout.strip().splitlines()[-6:-2]
    assert table[0].split() == ["member", "parameters", "held-out", "accuracy", "taught"]
    assert [row.split()[0] for row in table[1:]] == ["resnet8", "resnet8_2", "resnet8_3"]


def test_the_summary_is_that_of_the_last_epoch(trained):
    directory, _ = trained
    summary = json.loads((directory / "summary.json").read_text())
    with open(directory / "history.csv") as file:
        *_, last = csv.DictReader(file)
    assert summary["settings"]["batch_size"] == 128 and summary["seed"] == 0
    assert summary["versions"]["keras"] == keras.__version__
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


SERVE = """
import importlib.util, sys
import numpy as np, tensorflow as tf
assert importlib.util.find_spec("orc_keras") is None
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
result = signature(images=tf.constant(np.load(sys.argv[2])))
np.savez(sys.argv[3], **{key: value.numpy() for key, value in result.items()})
"""


def serve(saved_model, images, tmp_path):
    """Answers of a SavedModel in a process that has TensorFlow only."""
    np.save(tmp_path / "images.npy", images)
    arguments = (saved_model, tmp_path / "images.npy", tmp_path / "answers.npz")
    run = program("-I", "-c", SERVE, *arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    return np.load(tmp_path / "answers.npz")


def check_answers(answers, directory, member, network):
    digits = data.load("digits")
    count = len(digits.test_labels)
    assert answers["logits"].shape == answers["probabilities"].shape == (count, 10)
    assert answers["classes"].shape == (count,)
    normalised = (digits.test_images / 255 - np.array(digits.mean)) / np.array(digits.std)
    logits = network.predict(normalised.astype(np.float32), verbose=0)
    np.testing.assert_allclose(answers["logits"], logits, atol=1e-4)
    np.testing.assert_allclose(answers["probabilities"].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(answers["classes"], logits.argmax(axis=1))
    summary = json.loads((directory / "summary.json").read_text())
    accuracy = (answers["classes"] == digits.test_labels).mean()
    assert accuracy == pytest.approx(summary["members"][member]["accuracy"], abs=1e-6)


def test_the_student_answers_without_this_project(trained, tmp_path):
    directory, _ = trained
    answers = serve(directory / "student", data.load("digits").test_images, tmp_path)
    student = keras.saving.load_model(directory / "student.keras")
    check_answers(answers, directory, "resnet8_3", student)


def test_any_member_can_be_exported_later(trained, tmp_path):
    directory, _ = trained
    export = ("-m", "orc_keras.export", f"--run={directory}")
    run = program(*export, "--member=resnet8_2")
    assert (run.returncode, run.stderr) == (0, "")
    answers = serve(directory / "resnet8_2", data.load("digits").test_images, tmp_path)
    network = keras.saving.load_model(directory / "resnet8_2.keras")
    check_answers(answers, directory, "resnet8_2", network)
    for arguments, message in (
        (["--member=resnet8_2"], "resnet8_2 exists already"),
        (["--member=wrn"], "--member=wrn is not in the run; possible are resnet8, resnet8_2"),
        (["--member=resnet8", f"--run={tmp_path}"], "holds no finished run"),
    ):
        run = program(*export, *arguments)
        assert run.returncode == 1 and message in run.stderr and len(run.stderr.splitlines()) == 1


def test_its_settings_repeat_a_run(trained, tmp_path):
    """Same seed, same machine, one device: the same history."""
    directory, _ = trained
    flagfile = f"--flagfile={directory}/settings.flags"
    run = program("train.py", flagfile, f"--output_dir={tmp_path}/again")
    assert run.returncode == 0, run.stderr
    for name in ("settings.flags", "history.csv", "pivot_history.csv"):
        assert (tmp_path / "again" / name).read_text() == (directory / name).read_text()


def test_a_finished_run_is_shown_and_never_overwritten(trained):
    directory, first = trained
    before = {path: path.stat().st_mtime_ns for path in directory.rglob("*")}
    again = program("train.py", *FLAGS, f"--output_dir={directory}")
    assert again.returncode == 0 and "holds this run, finished" in again.stdout
    assert again.stdout.strip().splitlines()[-4:] == first.stdout.strip().splitlines()[-6:-2]
    other = program("train.py", *FLAGS, "--epochs=3", f"--output_dir={directory}")
    assert other.returncode == 1 and "holds a run with other settings" in other.stderr
    assert before == {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


@pytest.fixture
def tiny(monkeypatch):
    """Settings of runs that take a second, with networks and data that are tiny."""

    def build(name, image_shape, num_classes):
        assert (image_shape, num_classes) == ((4, 4, 1), 5)
        return hidden_network(name, int(name.removeprefix("hidden")))

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 4, 4, 1)).astype(np.uint8)
    labels = rng.integers(0, 5, 60).astype(np.int32)
    tiny_data = data.ImageData(
        *(images[:40], labels[:40], images[40:], labels[40:]), tuple("abcde"), (0.5,), (0.3,), False
    )
    monkeypatch.setattr(models, "build", build)
    monkeypatch.setattr(data, "load", lambda *_: tiny_data)

    def settings(**changed):
        return Settings(
            **{
                "dataset": "tiny",
                "pivot": "hidden16",
                "students": ("hidden12", "hidden8", "hidden6"),
                "pivot_epochs": 1,
                "epochs": 2,
                "batch_size": 8,
                "decay_epochs": (1,),
            }
            | changed
        )

    return settings


def test_a_run_on_two_replicas(tiny, tmp_path, capfd):
    settings = tiny(strategy="mirrored", output_dir=str(tmp_path / "run"))
    summary = experiment.prepare(settings)()
    assert summary["members"]["hidden6"]["role"] == "student"
    student = keras.saving.load_model(tmp_path / "run" / "student.keras")
    images = data.load().test_images
    answers = serve(tmp_path / "run" / "student", images, tmp_path)
    logits = student.predict((images / 255 - 0.5) / 0.3, verbose=0)
    np.testing.assert_allclose(answers["logits"], logits, atol=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_run_in_mixed_precision(tiny, tmp_path, precision):
    settings = tiny(mixed_precision=precision, output_dir=str(tmp_path / "run"))
    experiment.prepare(settings)()
    answers = serve(tmp_path / "run" / "student", data.load().test_images, tmp_path)
    assert answers["logits"].dtype == np.float32


def test_a_deterministic_run(tiny, tmp_path):
    """In a process of its own: determinism cannot be turned off again."""
    assert (
        program("train.py", *FLAGS, "--deterministic", f"--output_dir={tmp_path}").returncode == 0
    )


def test_the_learning_rate_decays(tiny, tmp_path):
    experiment.prepare(tiny(epochs=3, decay_epochs=(1, 2), output_dir=str(tmp_path / "run")))()
    with open(tmp_path / "run" / "history.csv") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates == pytest.approx([0.05, 0.005, 0.0005])


@pytest.mark.parametrize("stage", ["group", "pivot"])
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_pivot_weights_replace_its_training(tiny, tmp_path, stage, suffix):
    first = tmp_path / "first"
    experiment.prepare(tiny(output_dir=str(first)))()
    trained = keras.saving.load_model(first / "checkpoints" / f"{stage}.keras")
    trained = trained.pivot if stage == "group" else trained
    path = tmp_path / f"pivot{suffix}"
    trained.save(path) if suffix == ".keras" else trained.save_weights(path)
    settings = tiny(
        pivot_weights=str(path), output_dir=str(tmp_path / "second"), learning_rate=1e-9
    )
    experiment.prepare(settings)()
    assert not (tmp_path / "second" / "pivot_history.csv").exists()
    group = keras.saving.load_model(tmp_path / "second" / "checkpoints" / "group.keras")
    for ours, theirs in zip(group.pivot.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_loss_that_diverges_ends_the_run(tiny, tmp_path, monkeypatch, capsys):
    """In the second epoch; the checkpoint of the first stays."""
    settings = tiny(decay_factor=1e30, output_dir=str(tmp_path / "run"))
    monkeypatch.setattr(train.settings, "from_flags", lambda: settings)
    with pytest.raises(SystemExit) as end:
        train.main(["train.py"])
    assert "no longer finite at step" in end.value.code and "hidden" in end.value.code
    group = keras.saving.load_model(tmp_path / "run" / "checkpoints" / "group.keras")
    assert int(group.mini_batches.numpy()) == 5
    assert all(np.isfinite(w).all() for w in group.get_weights())
    with pytest.raises(ValueError, match="holds an unfinished run; .* --overwrite"):
        experiment.prepare(settings)


def test_overwrite_deletes_the_earlier_run_and_nothing_else(tiny, tmp_path):
    directory = tmp_path / "run"
    experiment.prepare(tiny(output_dir=str(directory)))()
    (directory / "thesis.tex").write_text("years of work")
    settings = tiny(output_dir=str(directory), seed=1, overwrite=True, pivot_epochs=0)
    assert experiment.prepare(settings)()["seed"] == 1
    assert (directory / "thesis.tex").read_text() == "years of work"
    assert not (directory / "pivot_history.csv").exists()
    pivot = str(directory / "checkpoints" / "group.keras")
    with pytest.raises(ValueError, match="--overwrite would delete --pivot_weights="):
        experiment.prepare(dataclasses.replace(settings, pivot_weights=pivot))


def test_two_runs_that_start_together_do_not_share_a_directory(tiny, tmp_path):
    first, second = (
        RunDirectory(tiny(output_dir=str(tmp_path / "run"), seed=seed)) for seed in (1, 2)
    )
    first.check()
    second.check()
    first.claim()
    with pytest.raises(ValueError, match="--output_dir=.* is taken by another run"):
        second.claim()


@pytest.mark.parametrize("text", ["", "{}", '{"members"', "[]"])
def test_a_damaged_summary_is_named(tiny, tmp_path, text):
    settings = tiny(output_dir=str(tmp_path))
    (tmp_path / "settings.flags").write_text(settings.as_flags())
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(ValueError, match="summary.json is damaged"):
        experiment.prepare(settings)
    with pytest.raises(ValueError, match="summary.json is damaged"):
        export_member(tmp_path, "hidden6")


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_damaged_pivot_weights(tiny, tmp_path, suffix):
    path = tmp_path / f"pivot{suffix}"
    hidden_network("hidden16", 16).save_weights(tmp_path / "whole.weights.h5")
    path.write_bytes((tmp_path / "whole.weights.h5").read_bytes()[:1000])
    settings = tiny(pivot_weights=str(path), output_dir=str(tmp_path / "run"))
    with pytest.raises(ValueError, match="does not hold the weights of a hidden16"):
        experiment.prepare(settings)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"batch_size": 41}, "--batch_size=41 is more than the 40 images"),
        ({"batch_size": 7, "strategy": "mirrored"}, "--batch_size=7 is not divisible by the 2"),
        ({"students": ("hidden6",)}, "at least two students, not 1"),
        ({"temporary_teachers": 3}, "temporary_teachers must be .* below .* students, 3, not 3"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"pivot_weights": "nowhere.keras"}, "--pivot_weights=nowhere.keras is not a file"),
        ({"pivot_weights": __file__}, "--pivot_weights=.* does not hold the weights of a hidden16"),
        ({"output_dir": __file__}, "--output_dir=.* is not a directory"),
        ({"output_dir": "/proc/run"}, "--output_dir=/proc/run cannot be written"),
        ({"output_dir": str(ROOT / "models")}, "--output_dir=.* holds files that are not of a run"),
    ],
)
def test_wrong_inputs_end_before_anything_is_written(tiny, tmp_path, changed, message):
    settings = tiny(**{"output_dir": str(tmp_path / "run")} | changed)
    with pytest.raises(ValueError, match=message):
        experiment.prepare(settings)
    assert list(tmp_path.iterdir()) == []


def test_pivot_weights_of_another_network(tiny, tmp_path):
    hidden_network("hidden9", 9).save(tmp_path / "other.keras")
    settings = tiny(pivot_weights=str(tmp_path / "other.keras"), output_dir=str(tmp_path / "run"))
    message = r"does not hold the weights of a hidden16 for .* \(4, 4, 1\) and 5 classes"
    with pytest.raises(ValueError, match=message):
        experiment.prepare(settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--pivot=resnet9"], "--pivot: Unknown network 'resnet9'; possible are resnet8, resnet14"),
        (["--students=resnet8,wrn"], "--students: Unknown network 'wrn'; possible are"),
        (["--dataset=mnist"], "--dataset=mnist is unknown; possible are digits, cifar10"),
        (["--epoch=3"], "Unknown command line flag 'epoch'. Did you mean: epochs"),
        (["--epochs=-1"], "flag --epochs=-1: -1 is not a positive integer"),
        (["digits"], "'digits' is not a flag"),
    ],
)
def test_wrong_flags_end_in_a_sentence(tmp_path, arguments, message):
    run = program("train.py", *FLAGS, f"--output_dir={tmp_path}/run", *arguments)
    assert run.returncode != 0 and message in run.stderr and "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []
