"""What is deleted, damaged or swapped in the directory of a run, and what is said of it."""

import base64
import html
import json
import marshal
import os
import pickle
import re
import shutil
import zipfile

import keras
import numpy as np
import pytest
from helpers.networks import hidden_network
from helpers.tiny import tiny_settings
from markdown_it import MarkdownIt

from orc_keras import building, checksums, experiment, run_files
from orc_keras.benchmark.members import benchmark
from orc_keras.callbacks.role_history import _load
from orc_keras.evaluate import evaluation
from orc_keras.evaluate.members import load_member
from orc_keras.export.member import export_member
from orc_keras.export.model_card import escape
from orc_keras.report import page
from orc_keras.report.run_contents import RunContents
from orc_keras.runs import RunDirectory, finished_run
from orc_keras.training.stage import checkpoints_of

pytestmark = pytest.mark.slow  # a whole run first
FEW = dict(students=("hidden12", "hidden6"), epochs=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The directories of two finished runs that differ in their seed."""
    runs = [tmp_path_factory.mktemp(name) / "run" for name in ("one", "other")]
    with pytest.MonkeyPatch.context() as patch:
        for seed, directory in enumerate(runs):
            experiment.prepare(tiny_settings(patch)(output_dir=str(directory), seed=seed, **FEW))()
    return runs


@pytest.fixture
def run(finished, tmp_path):
    """A finished run, to be spoilt."""
    return shutil.copytree(finished[0], tmp_path / "run")


@pytest.fixture
def other(finished):
    return finished[1]


@pytest.fixture
def settings(tiny, tmp_path):
    """The settings of `run`."""
    return tiny(output_dir=str(tmp_path / "run"), **FEW)


def weights(run):
    return keras.saving.load_model(run / "student.keras").get_weights()


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def sum_up_again(run):
    """What somebody does who changes a file and its checksum."""
    checksums.update(run, [*run.rglob("*")])
    checksums.check(run)


@pytest.mark.parametrize("name", ["student", "history.csv"])
def test_what_was_deleted_is_made_again(settings, run, capsys, name):
    before = weights(run), RunDirectory(run).summary["members"]
    shutil.rmtree(run / name) if name == "student" else (run / name).unlink()
    experiment.prepare(settings)()
    assert f"{run / name}" in capsys.readouterr().out
    assert_equal(weights(run), before[0])
    assert RunDirectory(run).summary["members"] == before[1]
    experiment.prepare(settings)()
    assert "holds this run, finished" in capsys.readouterr().out


def test_what_cannot_be_made_again_is_said(settings, run):
    (run / "student.keras").unlink()
    for save in run.glob("checkpoints/group-*"):
        save.unlink()
    with pytest.raises(ValueError, match="student.keras is missing, and so are the saves"):
        experiment.prepare(settings)


def test_a_pivot_whose_saves_are_lost_does_not_learn_again(settings, run, capsys):
    before, history = weights(run), (run / "pivot_history.csv").read_text()
    (run / "summary.json").unlink()
    for save in run.glob("checkpoints/pivot-*"):
        save.unlink()
    experiment.prepare(settings)()
    assert "hidden16 has learnt: the saves of a later stage hold it" in capsys.readouterr().out
    assert_equal(weights(run), before)
    assert (run / "pivot_history.csv").read_text() == history


def test_checkpoints_of_something_else_are_not_used(settings, run, other, capsys):
    """Of another stage, of another step, or of a run with other settings."""
    (last,) = run.glob("checkpoints/group-*")
    wrong = {
        "group-000007-00000000.npz": run / "checkpoints" / "pivot-000001-00000000.npz",
        "group-000008-00000000.npz": last,
        "group-000009-00000000.npz": other / "checkpoints" / last.name,
    }
    for name, source in wrong.items():
        shutil.copyfile(source, run / "checkpoints" / name)
    epoch, _, values = checkpoints_of(settings, RunDirectory(settings.output_dir), "group").read()
    assert epoch == 1 and values
    printed = capsys.readouterr().out
    assert all(f"{name} is damaged, or of another training" in printed for name in wrong)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda s: s.pop("data"), "It lacks data"),
        (lambda s: s["data"].pop("mean"), "It lacks mean"),
        (lambda s: s["members"]["hidden6"].pop("role"), "It lacks role"),
        (lambda s: s["members"]["hidden6"].update(accuracy="0.9"), "accuracy must be a finite"),
        (lambda s: s["members"].clear(), "It has no members"),
    ],
)
def test_a_summary_of_another_version(run, spoil, message):
    summary = json.loads((run / "summary.json").read_text())
    spoil(summary)
    (run / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(ValueError, match="summary.json is damaged, or not of this run"):
        finished_run(run)
    sum_up_again(run)
    with pytest.raises(ValueError, match=f"(?s)summary.json is damaged:.*{message}"):
        finished_run(run)


@pytest.mark.parametrize("text", ["[1]", "{"])
def test_a_summary_that_is_none(run, text):
    (run / "summary.json").write_text(text)
    sum_up_again(run)
    with pytest.raises(ValueError, match="summary.json is damaged"):
        finished_run(run)


def test_a_group_of_another_run_is_not_evaluated(run, other):
    shutil.copy(other / "checkpoints" / "group.keras", run / "checkpoints")
    with pytest.raises(ValueError, match="group.keras is damaged, or not of this run"):
        evaluation.evaluate_member(run)


def lambda_file(path, marker):
    """Writes a well-formed .keras file whose Lambda layer writes a file when it is loaded."""
    images = keras.Input((4, 4, 1))
    x = keras.layers.Lambda(lambda x: x, output_shape=(4, 4, 1), name="payload")(images)
    keras.Model(images, keras.layers.Dense(5)(keras.layers.Flatten()(x))).save(path)
    code = compile(f"open({str(marker)!r}, 'w')", "payload", "eval")
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    (layer,) = (each for each in config["config"]["layers"] if each["name"] == "payload")
    layer["config"]["function"]["config"]["code"] = base64.b64encode(marshal.dumps(code)).decode()
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)


def test_code_in_a_network_does_not_run(run, tmp_path):
    marker, path = tmp_path / "marker", run / "checkpoints" / "group.keras"
    lambda_file(path, marker)
    sum_up_again(run)
    with pytest.raises(ValueError, match="in Keras's safe mode, which runs no code from a file"):
        load_member(finished_run(run), "hidden6")
    pivot = hidden_network("pivot", 16)
    with pytest.raises(ValueError, match="does not hold the weights of a pivot"):
        building.load_pivot(pivot, path)
    assert not marker.exists()


class Payload:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


def test_pickles_are_not_read(run, tmp_path):
    marker = tmp_path / "marker"
    payload = np.array([Payload(marker)], dtype=object)
    np.save(run / "roles.npy", payload, allow_pickle=True)
    np.savez(run / "evaluation.npz", **{"hidden6/labels": payload})
    assert _load(run / "roles.npy", 1).size == 0
    sum_up_again(run)
    damaged = [problem.splitlines()[0] for problem in RunContents(run).problems]
    assert damaged == [f"{run / name} is damaged:" for name in ("roles.npy", "evaluation.npz")]
    assert not marker.exists()
    pickle.loads(pickle.dumps(Payload(marker)))
    assert marker.exists(), "it is a payload"


def test_a_damaged_line_of_the_checksums_is_named(run):
    sums = (run / run_files.SUMS).read_text()
    line = next(line for line in sums.splitlines() if line.endswith("  roles.npy"))
    (run / run_files.SUMS).write_text(sums.replace(line, "0" + line[1:]))
    (problem,) = RunContents(run).problems
    assert problem.startswith(f"{run / 'roles.npy'} is damaged, or not of this run: SHA256SUMS")


def test_an_empty_list_of_checksums_is_damaged(run):
    (run / run_files.SUMS).write_text("")
    with pytest.raises(ValueError, match=f"{run / run_files.SUMS} is damaged:\nIt is empty"):
        finished_run(run).checked("roles.npy")


@pytest.mark.parametrize(
    "write", [lambda run: export_member(run, "hidden12"), benchmark, lambda run: page.write([run])]
)
def test_a_read_only_run_is_refused_before_the_work(run, monkeypatch, write):
    """Even before its images, which are gone."""
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may
    with pytest.raises(ValueError, match=f"{run} is not writable"):
        write(run)


def test_names_are_text_in_markdown():
    """Read by another's parser of GitHub's Markdown they are what they were, also in a table."""
    name = "<script>alert(1)</script> a|b `c` & *d* _e_ [f](g) &lt; \\ # ~~h~~"
    page = MarkdownIt("gfm-like", {"linkify": False}).render(
        f"{escape(name)}\n\n| a |\n| - |\n| {escape(name)} |\n"
    )
    assert re.findall("<(?:p|td)>(.*)</(?:p|td)>", page) == [html.escape(name)] * 2
