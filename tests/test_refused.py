"""Runs that cannot be made end in a sentence, before anything is written; nothing is lost."""

import dataclasses
import time

import numpy as np
import pytest
from helpers.networks import hidden_network
from helpers.programs import ROOT

from orc_keras import building, checksums, data, experiment, validation
from orc_keras.runs import RunDirectory, continuation, directory_of


@pytest.mark.parametrize("text", ["", "null", "[1]", "{"])
def test_a_damaged_description_of_the_data_is_named(tiny, tmp_path, text):
    settings = tiny(output_dir=str(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.flags").write_text(settings.as_flags())
    (tmp_path / "run" / "data.json").write_text(text)
    with pytest.raises(ValueError, match="(?s)with --overwrite:.*data.json is damaged"):
        experiment.prepare(settings)
    experiment.prepare(dataclasses.replace(settings, overwrite=True))


def test_a_run_does_not_continue_with_other_images(tiny, tmp_path, monkeypatch):
    settings = tiny(output_dir=str(tmp_path / "run"))
    run = experiment.prepare(settings)
    run.args[0].directory.close()
    images = data.load()
    other = dataclasses.replace(images, notes={"files": "others"}, class_names=tuple("abcdf"))
    monkeypatch.setattr(data, "load", lambda *_, **__: other)
    with pytest.raises(ValueError, match=r"\(class_names\) is not what it was when the run in"):
        experiment.prepare(settings)


def test_overwrite_deletes_the_earlier_run_and_nothing_else(tiny, tmp_path):
    directory = tmp_path / "run"
    settings = tiny(output_dir=str(directory))
    experiment.prepare(settings)
    of_the_run = ("pivot_history.csv", "stage1_history.csv", "checkpoints/group.keras")
    exported = ("hidden16_int8.tflite", "student.onnx")
    for name in of_the_run + exported:
        (directory / name).write_text("of the earlier run")
    for name in ("thesis.tex", "stages_history.csv"):
        (directory / name).write_text("years of work")
    settings = dataclasses.replace(settings, seed=1, overwrite=True)
    experiment.prepare(settings)
    assert "--seed=1\n" in (directory / "settings.flags").read_text()
    left = {path.name for path in directory.rglob("*")}
    assert left == {
        "thesis.tex",
        "stages_history.csv",
        "settings.flags",
        "data.json",
        "checkpoints",
    }


def test_overwrite_does_not_delete_what_the_run_begins_with(tiny, tmp_path):
    settings = tiny(output_dir=str(tmp_path / "run"))
    experiment.prepare(settings)
    weights = tmp_path / "run" / "hidden16.keras"
    hidden_network("hidden16", 16).save(weights)
    begun = weights.read_bytes()
    for flag, changed in (
        ("pivot_weights", {"pivot_weights": str(weights)}),
        ("pivot", {"pivot": str(weights)}),
        ("students", {"students": (f"raw:{weights}", *settings.students)}),
    ):
        again = dataclasses.replace(settings, seed=1, overwrite=True, **changed)
        with pytest.raises(ValueError, match=f"--overwrite would delete --{flag}="):
            experiment.prepare(again)
    assert weights.read_bytes() == begun


@pytest.mark.parametrize("changed", [{}, {"seed": 2}, {"overwrite": True}])
def test_two_runs_that_start_together_do_not_share_a_directory(tiny, tmp_path, changed):
    """Neither the same run, continued while it goes on, nor another, nor one that overwrites."""
    first, second = RunDirectory(tmp_path / "run"), RunDirectory(tmp_path / "run")
    settings, other = tiny(), tiny(**changed)
    continuation.check(first, settings)
    continuation.check(second, other)
    first.lock(settings)
    with pytest.raises(ValueError, match="--output_dir=.* is in use by another process"):
        second.lock(other)
    first.close()
    if "seed" not in changed:
        second.lock(other)


def test_runs_without_a_directory_that_start_in_the_same_second(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda text: "runs/now")
    assert [str(directory_of(tiny()).path) for _ in "abc"] == [
        "runs/now",
        "runs/now-2",
        "runs/now-3",
    ]


@pytest.mark.parametrize("place", ["", "cat", "runs/first", "..", "../link"])
def test_a_run_does_not_lie_among_its_images(tiny, tmp_path, place):
    """There it would be a class when it continues."""
    images = tmp_path / "images"
    images.mkdir()
    (tmp_path / "link").symlink_to(images)
    settings = tiny(dataset=f"folder:{images}", output_dir=str(images / place))
    with pytest.raises(ValueError, match="--output_dir=.* and --dataset=folder:.* lie in each oth"):
        experiment.prepare(settings)
    assert list(images.iterdir()) == []


@pytest.mark.parametrize("make", ["out", "dangling", "other"])
@pytest.mark.parametrize("name", ["settings.flags", "SHA256SUMS", "pivot_history.csv", "report"])
def test_a_run_does_not_write_where_something_else_is(tiny, tmp_path, name, make):
    """A link out of it, one to nowhere, a folder in place of a file or a file in one's."""
    path = tmp_path / "run" / name
    path.parent.mkdir()
    if make == "other":
        path.write_text("mine") if name == "report" else path.mkdir()
    else:
        path.symlink_to(tmp_path / "mine" if make == "out" else "nowhere")
    problem = "leads out of the run by a link; delete" if make == "out" else "is not a f.*; move"
    with pytest.raises(ValueError, match=f"/{name} {problem} it"):
        continuation.check(RunDirectory(tmp_path / "run"), tiny())
    assert not (tmp_path / "mine").exists() and path.lstat()


@pytest.mark.parametrize("year", [1979, 2108])
def test_a_clock_that_no_keras_file_can_state(tiny, tmp_path, monkeypatch, year):
    now = time.struct_time((year, 1, 1, 0, 0, 0, 0, 1, 0))
    monkeypatch.setattr(time, "localtime", lambda *_: now)
    with pytest.raises(ValueError, match=f"clock is in the year {year}"):
        experiment.prepare(tiny(output_dir=str(tmp_path / "run")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
@pytest.mark.parametrize("damage", ["cut", "of another size"])
def test_damaged_pivot_weights(tiny, tmp_path, suffix, damage):
    path = tmp_path / f"pivot{suffix}"
    hidden_network("hidden16", 16).save_weights(tmp_path / "whole.weights.h5")
    whole = (tmp_path / "whole.weights.h5").read_bytes()
    size = 16  # place of that of a group, in an HDF5 file
    other = whole[:size] + b"\xff" + whole[size + 1 :]
    path.write_bytes(whole[:1000] if damage == "cut" else other)
    settings = tiny(pivot_weights=str(path), output_dir=str(tmp_path / "run"))
    with pytest.raises(ValueError, match="does not hold the weights of a hidden16"):
        experiment.prepare(settings)


def test_steps_that_are_too_many_at_once_are_not_offered(tiny):
    with pytest.raises(ValueError, match="does not divide the 937 steps .* possible are 1\\."):
        validation.check_batches(tiny(batch_size=1, steps_per_execution=469), 937)  # 937 > 512


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"batch_size": 41}, "--batch_size=41 is more than the 40 training images"),
        ({"batch_size": 7, "strategy": "mirrored"}, "--batch_size=7 is not divisible by the 2"),
        (
            {"steps_per_execution": 2},
            "=2 does not divide the 5 steps of an epoch; possible are 1, 5",
        ),
        ({"jit_compile": True, "strategy": "mirrored"}, "works on one device, not on 2 replicas"),
        (
            {"steps_per_execution": 5, "strategy": "mirrored"},
            "steps_per_execution=5 works on one device, not on 2 replicas",
        ),
        ({"students": ("hidden6",)}, "at least two students, not 1"),
        ({"pivot_epochs": 0}, "leaves the pivot untrained, .*; give --pivot_learning_rate=1"),
        ({"num_temporary_teachers": 3}, "must be .* below the number of students, 3, not 3"),
        ({"pivot_weights": "nowhere.keras"}, "--pivot_weights=nowhere.keras is not a file"),
        ({"pivot_weights": __file__}, "--pivot_weights=.* does not hold the weights of a hidden16"),
        ({"output_dir": __file__}, "--output_dir=.* is not a directory that is writable"),
        ({"output_dir": "/proc/run"}, "--output_dir=/proc/run cannot be written"),
        ({"output_dir": str(ROOT / "models")}, "--output_dir=.* holds files that are not of a run"),
    ],
)
def test_wrong_inputs_end_before_anything_is_written(tiny, tmp_path, changed, message):
    settings = tiny(**{"output_dir": str(tmp_path / "run")} | changed)
    with pytest.raises(ValueError, match=message):
        experiment.prepare(settings)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_a_finished_run_did_not_write(tiny, tmp_path):
    """Another, put in the place of its pivot, is taken neither for weights nor as a member."""
    path = tmp_path / "finished" / "checkpoints" / "pivot.keras"
    path.parent.mkdir(parents=True)
    network = hidden_network("hidden16", 16)
    network.save(path)
    for name in ("settings.flags", "summary.json"):
        (tmp_path / "finished" / name).touch()
    (tmp_path / "link.keras").symlink_to(path)
    sums = checksums.text({"checkpoints/pivot.keras": path})
    (tmp_path / "finished" / "SHA256SUMS").write_text(sums)
    building.load_pivot(network, path)
    hidden_network("hidden16", 16, seed=1).save(path)
    for flag, given in (("pivot_weights", path), ("pivot", path), ("pivot", "link.keras")):
        with pytest.raises(ValueError, match="pivot.keras is damaged, or not of this run"):
            experiment.prepare(tiny(**{flag: str(tmp_path / given)}, output_dir="run"))
    (tmp_path / "finished" / "settings.flags").unlink()  # a folder of something else
    building.load_pivot(network, path)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_pivot_weights_that_are_not_finite(tiny, tmp_path, wrong):
    network = hidden_network("hidden16", 16)
    network.set_weights([np.full_like(weight, wrong) for weight in network.get_weights()])
    network.save(tmp_path / "pivot.keras")
    settings = tiny(pivot_weights=str(tmp_path / "pivot.keras"), output_dir=str(tmp_path / "run"))
    with pytest.raises(ValueError, match="--pivot_weights=/.*: hidden16 has NaN or infinite"):
        experiment.prepare(settings)


def test_pivot_weights_of_another_network(tiny, tmp_path):
    hidden_network("hidden9", 9).save(tmp_path / "other.keras")
    settings = tiny(pivot_weights=str(tmp_path / "other.keras"), output_dir=str(tmp_path / "run"))
    message = r"does not hold the weights of a hidden16 for .* \(4, 4, 1\) and 5 classes"
    with pytest.raises(ValueError, match=message):
        experiment.prepare(settings)
    assert not (tmp_path / "run").exists()
