"""The directory of a run that a stranger has made, checksums and all."""

import json
import os
import re
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
from helpers.made_up_run import made_up_benchmark
from helpers.signing import sign

from orc_keras import command_line, startup
from orc_keras.evaluate import evaluation
from orc_keras.export.exported import ExportedNetwork
from orc_keras.export.member import export_member
from orc_keras.report import page
from orc_keras.report.run_contents import RunContents
from orc_keras.runs import RunDirectory, continuation, finished_run, predictions

GROUP, STUDENT = "checkpoints/group.keras", "student.keras"
CODE = "import pathlib; pathlib.Path(__file__).with_name('marker').touch()"


def test_no_module_is_imported(run, tmp_path, monkeypatch):
    """Only one that the user names is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    (tmp_path / "strange_module.py").write_text(CODE)
    settings = (run / "settings.flags").read_text()
    settings = settings.replace("--pivot=hidden12", "--pivot=strange_module:hidden12")
    (run / "settings.flags").write_text(settings)
    sign(run)
    evaluation.evaluate_member(run)
    page.write([run])
    assert not (tmp_path / "marker").exists() and "strange_module:hidden12" in settings
    command_line.import_modules(types.SimpleNamespace(modules=["strange_module"]))
    assert (tmp_path / "marker").exists()
    del sys.modules["strange_module"]


def test_no_process_of_ours_imports_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orc_keras").mkdir()
    for module in ("orc_keras/__init__.py", "argparse.py", "absl.py"):
        (tmp_path / module).write_text(CODE)
    program = startup.python("-m", "orc_keras", "--help")
    assert b"orc-keras <command>" in subprocess.run(**program, capture_output=True).stdout
    assert not [*tmp_path.rglob("marker")]


CLASS = {"type": "strange_module.Feature", "content": {}}
LIST = json.dumps([{"python_class_name": "strange_module.Feature"}])
FEATURES = r"/birds/1.0.0/features.json; if you trust[^\n]*\n.* strange_module.Feat"
OWN = "tensorflow_datasets.core.features.features_dict.FeaturesDict"


@pytest.mark.parametrize(
    ("dataset", "features", "complaint"),
    [
        (
            "tfds:kaggle:birds",
            {},
            "images, tfds:kaggle:birds .*, lie in the internet; if you trust",
        ),
        ("tfds:birds", CLASS, FEATURES),
        ("tfds:birds", {"type": OWN, "content": json.dumps({"image": CLASS})}, FEATURES),
        ("tfds:birds", {"pythonClassName": OWN, "jsonFeature": {"json": LIST}}, FEATURES),
    ],
)
def test_no_code_of_a_dataset_is_imported(run, tmp_path, dataset, features, complaint):
    """TensorFlow Datasets imports the module of every feature, before it is asked for images."""
    path = tmp_path / "data" / "birds" / "1.0.0" / "features.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(features).replace("type", "typ\\u0065"))
    summary = json.loads((run / "summary.json").read_text())
    summary["data"]["place"] = {"dataset": dataset, "data_dir": str(tmp_path / "data")}
    (run / "summary.json").write_text(json.dumps(summary))
    sign(run)
    with pytest.raises(ValueError, match=complaint):
        evaluation.evaluate_member(run)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("hidden8/labels", lambda array: array + 10),
        ("hidden8/predicted", lambda array: array * 0 + 2 * 10**9),
        ("/1", lambda _: np.zeros((8, 8, 3, 2), np.uint8)),
        ("/1", lambda _: np.zeros((8, 8))),
        ("/1", lambda _: np.zeros((0, 0), np.uint8)),
    ],
)
def test_predictions_are_of_the_classes(run, key, change):
    arrays = dict(np.load(run / "evaluation.npz"))
    arrays[key] = change(arrays.get(key))
    np.savez(run / "evaluation.npz", **arrays)
    sign(run)
    (problem,) = RunContents(run).problems
    assert problem.startswith(f"{run / 'evaluation.npz'} ")


@pytest.mark.parametrize(
    "change",
    [
        lambda contents: contents.update(rows=[]),
        lambda contents: contents["rows"][0].update(bytes="many"),
        lambda contents: contents["rows"][2].update(bytes=0),
        lambda contents: contents["rows"][0].update(role="none"),
        lambda contents: contents["rows"][0]["one_thread"].pop("p95"),
    ],
)
def test_costs_that_are_none(run, change):
    contents = made_up_benchmark()
    change(contents)
    (run / "benchmark.json").write_text(json.dumps(contents))
    (problem,) = RunContents(run).problems
    assert problem.startswith(f"{run / 'benchmark.json'} is damaged")


def test_predictions_that_fill_the_memory(run, monkeypatch):
    monkeypatch.setattr(predictions, "MOST_BYTES", 1000)
    (problem,) = RunContents(run).problems
    assert problem.endswith("is damaged:\nIt has more than 1,000 bytes unpacked.")


def test_losses_that_no_axis_holds(run):
    head, first, _ = (run / "history.csv").read_text().split("\n", 2)
    (run / "history.csv").write_text(f"{head}\n{re.sub('[^,]+', '1e308', first)}\n")
    sign(run)
    (problem,) = RunContents(run).problems
    assert problem == f"{run / 'history.csv'} has impossible values."


@pytest.mark.parametrize("name", ["\ud800", "\x1b[2J"])
def test_what_a_terminal_should_not_be_sent_is_no_name(run, name):
    """Half a character, and the sequence that clears the screen."""
    data = json.loads((run / "data.json").read_text())
    data["class_names"][0] = name
    (run / "data.json").write_text(json.dumps(data))
    names = "\n".join(data["class_names"]).encode("utf-8", "surrogatepass")
    (run / "student" / "class_names.txt").write_bytes(names)
    sign(run)
    assert RunContents(run).problems[0].startswith(f"{run / 'data.json'} is damaged:")
    with pytest.raises(ValueError, match="class_names.txt is damaged:"):
        ExportedNetwork(run / "student")


def test_the_student_of_a_run_is_its_own(run):
    """Another member's, put in its place, answers images of the same size."""
    export_member(run, "hidden10", ["tflite"], measure=False)
    for suffix in (".tflite", ""):
        student, other = run / f"student{suffix}", run / f"hidden10{suffix}"
        ExportedNetwork(other)  # no file of the run when it ended
        own = student.rename(run / "own")
        (shutil.copytree if other.is_dir() else shutil.copy)(other, student)
        with pytest.raises(ValueError, match=f"{student}.* is damaged, or not of this run"):
            ExportedNetwork(student)
        shutil.rmtree(student, ignore_errors=True)
        own.replace(student)
        ExportedNetwork(student)


def test_the_place_of_the_images_is_all_that_a_summary_says_of_them(run):
    summary = json.loads((run / "summary.json").read_text())
    summary["data"]["place"] |= {"image_size": 5, "memory_gb": "much"}
    (run / "summary.json").write_text(json.dumps(summary))
    sign(run)
    assert evaluation.evaluate_member(run).mismatches() == []


def test_endless_settings(run):
    (run / "settings.flags").write_text("--epochs=1\n" * 100_000)
    sign(run)
    with pytest.raises(ValueError, match=r"settings.flags is damaged:\nIt is longer than a flagf"):
        evaluation.evaluate_member(run)


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside", "student/../../outside"])
def test_checksums_name_files_of_the_run(run, name):
    with open(run / "SHA256SUMS", "a") as file:
        file.write(f"{64 * '0'}  {name}\n")
    with pytest.raises(ValueError, match=rf"SHA256SUMS is damaged:\n{name} is not in this folder"):
        finished_run(run)


@pytest.mark.parametrize("name", ["summary.json", "history.csv", "student/saved_model.pb", "new"])
def test_a_fifo_is_not_waited_for(run, name):
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    settings = types.SimpleNamespace(overwrite=False)
    for entrance in (finished_run, lambda _: continuation.check(RunDirectory(run), settings)):
        with pytest.raises(ValueError, match=f"{run / name} is n(either a file nor|o.* summary)"):
            entrance(run)
