"""What ends a run: losses, signals, the machine, and what others do to its files."""

import functools
import os
import re
import shutil
import time

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

FEW = dict(pivot_epochs=0, students=("hidden12", "hidden6"))


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


@pytest.mark.parametrize(
    "disturb, left",
    [
        (
            lambda run, _: shutil.rmtree(run),
            r"No such file or directory: .*; there is no save to continue from",
        ),
        (
            lambda run, _: (run / "settings.flags").write_text("--seed=7"),
            "settings.flags was deleted or rewritten .*; put settings.flags back, and the same com",
        ),
        (
            lambda run, _: (run / "history.csv").write_text("epoch,loss\na"),
            "history.csv is damaged.*; what was saved before is there, the same command continues",
        ),
        (
            lambda run, _: (run / "data.json").unlink() or os.mkfifo(run / "data.json"),
            "data.json is neither a file nor a folder; delete it; what was saved before is there",
        ),
        (
            lambda run, _: (run / "data.json").write_text("{"),
            "data.json is damaged.*; what was saved before is there",
        ),
        (
            lambda _, patch: patch.setattr("time.localtime", lambda: time.gmtime(0)),
            "This machine's clock is in the year 1970, .*; set it; what was saved before is there",
        ),
    ],
)
def test_what_others_do_to_the_directory_of_a_run_is_named(
    tiny, tmp_path, monkeypatch, disturb, left
):
    end = callbacks.Throughput.on_epoch_end

    def disturbed(self, epoch, logs=None):
        end(self, epoch, logs)
        disturb(tmp_path / "run", monkeypatch)

    monkeypatch.setattr(callbacks.Throughput, "on_epoch_end", disturbed)
    with pytest.raises(CommandError, match=f"(?s){left}"):
        train.train(tiny(output_dir=str(tmp_path / "run"), epochs=1, **FEW))
