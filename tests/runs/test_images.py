"""Where the images of a run are: recorded absolutely, and named anew where they have moved."""

import shutil
import types

import numpy as np
import pytest
from absl import flags
from helpers.animals import prepare
from helpers.flags import NEEDED, parse
from helpers.folders import fill, photo

from orc_keras import data
from orc_keras.commands import benchmark, evaluate, export
from orc_keras.runs.images import load_images


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The working directory, with a folder `birds` of images."""
    fill(tmp_path / "project" / "birds")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def finished(*arguments):
    """As much of a finished run as its images need."""
    settings = parse(*NEEDED[1:], *arguments)
    images = data.load(**settings.arguments(data.load))
    summary = {"data": images.description()}
    return types.SimpleNamespace(path="runs/birds", settings=settings, summary=summary), images


@pytest.mark.parametrize("needs_training", [True, False])
def test_a_relative_path_leads_there_from_everywhere(project, monkeypatch, needs_training):
    run, images = finished("--dataset=folder:birds", "--validation_fraction=0.34")
    monkeypatch.chdir("/")
    loaded = load_images(run, needs_training=needs_training)
    np.testing.assert_array_equal(loaded.held_out.labels, images.held_out.labels)
    assert loaded.notes["place"] == {"dataset": f"folder:{project}/birds", "data_dir": ""}
    assert run.settings.identity()["dataset"] == "folder:birds"  # so the same command continues


def test_so_does_the_folder_of_tensorflow_datasets(project, monkeypatch):
    prepare("tfds")
    run, _ = finished("--dataset=tfds:tiny_animals", "--data_dir=tfds", "--image_size=8")
    monkeypatch.chdir("/")
    assert len(load_images(run).held_out) == 7
    shutil.move(project / "tfds", project / "elsewhere")
    assert len(load_images(run, data_dir=f"{project}/elsewhere").held_out) == 7


@pytest.mark.parametrize("folder, is_possible", [("写真\u3000鳥", True), ("a\nb", False)])
def test_a_path_that_no_run_could_record_is_refused_before_training(
    tmp_path, monkeypatch, folder, is_possible
):
    """Though the flag, a relative path, is plain."""
    fill(tmp_path / folder / "photos")
    monkeypatch.chdir(tmp_path / folder)
    if is_possible:
        place = data.load("folder:photos").notes["place"]["dataset"]
        assert data.load(place).notes["place"]["dataset"] == place
        return
    with pytest.raises(ValueError, match="dataset must be a printable text .*nb/photos'"):
        data.load("folder:photos")


def test_images_that_have_moved_are_named(project):
    run, _ = finished("--dataset=folder:birds")
    (project / "birds").rename(project / "owls")
    message = f"folder:{project}/birds is not a folder. Images that have moved are named by --data"
    with pytest.raises(ValueError, match=message):
        load_images(run)
    assert len(load_images(run, dataset="folder:owls").held_out) == 6
    photo(1).save(project / "owls" / "val" / "cat" / "new.png")
    with pytest.raises(ValueError, match="owls are not those .*: held_out_images differs"):
        load_images(run, dataset="folder:owls")


def test_files_that_the_run_skipped_stay_left_out(project):
    """Even if they are whole by then."""
    damaged = [project / "birds" / split / "cat" / "bad.png" for split in ("train", "val")]
    for path in damaged:
        path.write_text("no image")
    run, images = finished("--dataset=folder:birds", "--skip_damaged")
    assert list(images.notes["skipped_files"]) == ["train/cat/bad.png", "val/cat/bad.png"]
    for path in damaged:
        photo(1).save(path)
    for needs_training in (True, False):
        assert len(load_images(run, needs_training=needs_training).held_out) == 6


def test_a_run_and_its_images_move_together(project, tmp_path, monkeypatch):
    run, _ = finished("--dataset=folder:birds")
    project.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    assert len(load_images(run).held_out) == 6


def test_a_run_of_an_earlier_version_recorded_no_place(project, monkeypatch):
    run, _ = finished("--dataset=folder:birds")
    del run.summary["data"]["place"]
    assert len(load_images(run).held_out) == 6
    monkeypatch.chdir("/")
    with pytest.raises(ValueError, match="folder:birds is not a folder. Images that have moved"):
        load_images(run)


@pytest.mark.parametrize(
    "command, more", [(export, ["--member=hidden12"]), (benchmark, []), (evaluate, [])]
)
def test_each_command_takes_their_place(digits_run, command, more):
    flag_values = flags.FlagValues()
    command.define_flags(flag_values)
    flag_values(["", f"--run={digits_run}", "--dataset=folder:/nowhere", *more])
    with pytest.raises(ValueError, match="--dataset=folder:/nowhere is not a folder.$"):
        command.main(flag_values, [])
