"""What ends a run: losses, signals, the machine, and what others do to its files."""

import functools
import json
import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from orc_keras import callbacks, data, experiment
from orc_keras.callbacks import NonFiniteLoss
from orc_keras.command_line import CommandError
from orc_keras.commands import train
from orc_keras.data.files import FileImages
from orc_keras.runs import continuation, directory_of
from orc_keras.training.stage import checkpoints_of

FEW = dict(pivot_epochs=0, pivot_learning_rate=1.0, students=("hidden12", "hidden6"))


@pytest.mark.slow
def test_a_loss_that_diverges_ends_the_run(tiny, tmp_path, monkeypatch):
    """In the second epoch; the save of the first stays."""
    settings = tiny(decay_factor=1e30, output_dir=str(tmp_path / "run"))
    with pytest.raises(FloatingPointError, match="hidden.* no longer finite in epoch"):
        train.train(settings)
    epoch, step, values = checkpoints_of(settings, tmp_path / "run", "group").read()
    assert (epoch, step) == (1, 0)
    assert all(np.isfinite(v).all() for name, v in values.items() if name != "history")
    with pytest.raises(NonFiniteLoss, match="in epoch 2;"):  # the same when it continues
        experiment.prepare(settings)()


@pytest.mark.parametrize("moment", ["load", "train_batches"])
def test_ctrl_c_outside_of_training(tiny, tmp_path, monkeypatch, moment):
    def stop(*_, **__):
        raise KeyboardInterrupt

    settings = tiny(output_dir=str(tmp_path / "run"))
    monkeypatch.setattr(data, moment, stop)
    with pytest.raises(CommandError) as end:
        train.train(settings)
    assert end.value.exit_code == 130
    assert str(end.value) == "stopped by SIGINT; the same command continues."


MEMORY = "the memory is too small for this group; a smaller"
exhausted = functools.partial(tf.errors.ResourceExhaustedError, None, None)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), MEMORY),
        (exhausted("OOM when allocating"), MEMORY),
        (exhausted("a.png; Too many open files"), "Too many open files; after that, the same co"),
        (exhausted("a; No space left on device"), "No space left on device; after that, the sam"),
    ],
)
def test_a_machine_that_is_too_small(tiny, tmp_path, monkeypatch, error, message):
    def exhaust(*_, **__):
        raise error

    settings = tiny(output_dir=str(tmp_path / "run"))
    monkeypatch.setattr(data, "train_batches", exhaust)
    with pytest.raises(CommandError) as end:
        train.train(settings)
    assert str(end.value).startswith(message)


@pytest.mark.parametrize(
    "changed, command",
    [
        ({"output_dir": "here"}, "the same command continues"),
        ({"output_dir": "here", "overwrite": True}, "the same command without --overwrite contin"),
        ({}, r"the same command with --output_dir=runs/[\d-]+ continues"),
    ],
)
def test_which_command_continues(tiny, changed, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = tiny(**changed)
    assert re.match(command, continuation.how_to_continue(directory_of(settings), settings))


def test_an_image_that_can_no_longer_be_read_is_named(tiny, tmp_path, monkeypatch):
    images = []
    for name in ("train", "held_out"):
        paths = [tmp_path / f"{name}{i}.png" for i in range(20)]
        for path in paths:
            path.write_bytes(tf.io.encode_png(np.zeros((4, 4, 1), np.uint8)).numpy())
        images.append(FileImages(paths, np.zeros(20)))
    fields = (tuple("abcde"), (4, 4, 1), (0.5,), (0.3,))
    monkeypatch.setattr(data, "load", lambda *_, **__: data.ImageData(*images, *fields))
    settings = tiny(output_dir=str(tmp_path / "run"))
    (tmp_path / "train7.png").write_text("no image")
    with pytest.raises(CommandError) as end:
        train.train(settings)
    assert "Images can no longer be read. Of 20 images 1 cannot be used" in str(end.value)
    assert f"{tmp_path}/train7.png is damaged" in str(end.value)


CONTINUES = "after that, the same command continues"


def in_place_of(name, make):
    """Returns what moves a file or folder of a run away, and makes something else in its place."""

    def disturb(run):
        (run / name).rename(run.parent / "moved")
        make(run / name)

    return disturb


def other_images(run):
    """Returns the path of a description of other images than the run's."""
    description = json.loads((run / "data.json").read_text())
    path = run.parent / "other.json"
    path.write_text(json.dumps(description | {"class_names": description["class_names"][::-1]}))
    return path


def link_out(path):
    victim = path.parents[1] / "victim"
    victim.mkdir()
    (victim / "group-000009-00000000.npz").write_text("mine")
    path.symlink_to(victim)


@pytest.mark.parametrize(
    "disturb, left",
    [
        (shutil.rmtree, "run was deleted .*; there is no save to continue from"),
        (
            lambda run: (run / "settings.flags").write_text("--seed=7"),
            f"settings.flags was deleted or rewritten .*; put it back; {CONTINUES}",
        ),
        (
            lambda run: (run / "history.csv").write_text("epoch,loss\na"),
            "history.csv was rewritten .*; what was saved before is there, the same command contin",
        ),
        (  # the callback goes on to write to the other file
            lambda run: in_place_of(
                "history.csv", lambda copy: shutil.copy(run.parent / "moved", copy)
            )(run),
            "history.csv was rewritten .*; what was saved before is there, the same command contin",
        ),
        (in_place_of("history.csv", os.mkfifo), f"history.csv is neither a file .*; {CONTINUES}"),
        (
            lambda run: (run / "data.json").write_text("{"),
            f"data.json was deleted or rewritten .*; delete what is left of it; {CONTINUES}",
        ),
        (
            lambda run: shutil.copy(other_images(run), run / "data.json"),
            "data.json was deleted or rewritten .*; what was saved before is there, the same comm",
        ),
        (in_place_of("tensorboard", Path.touch), f"tensorboard is not a folder; .*; {CONTINUES}"),
        (
            in_place_of("checkpoints", link_out),
            "checkpoints leads out of the run by a link; delete it; there is no save",
        ),
    ],
)
def test_what_others_do_to_the_directory_of_a_run_is_named(
    tiny, tmp_path, monkeypatch, disturb, left
):
    disturb_after_two_epochs(monkeypatch, lambda: disturb(tmp_path / "run"))
    with pytest.raises(CommandError, match=f"(?s){left}"):
        train.train(tiny(output_dir=str(tmp_path / "run"), epochs=3, **FEW))
    assert all(path.read_text() == "mine" for path in tmp_path.glob("victim/*"))
    assert len([*tmp_path.glob("victim/*")]) in (0, 1)


def test_a_clock_that_is_set_back_is_named(tiny, tmp_path, monkeypatch):
    now = lambda: monkeypatch.setattr("time.localtime", lambda: time.gmtime(0))  # noqa: E731
    disturb_after_two_epochs(monkeypatch, now)
    with pytest.raises(CommandError, match=f"clock is in the year 1970, .*; set it; {CONTINUES}"):
        train.train(tiny(output_dir=str(tmp_path / "run"), epochs=3, **FEW))


def disturb_after_two_epochs(monkeypatch, disturb):
    end = callbacks.Throughput.on_epoch_end

    def disturbed(self, epoch, logs=None):
        end(self, epoch, logs)
        if epoch == 1:
            disturb()

    monkeypatch.setattr(callbacks.Throughput, "on_epoch_end", disturbed)
