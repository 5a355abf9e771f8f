"""Whole runs in this process, with tiny networks and data."""

import dataclasses
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import hidden_network
from helpers.programs import ROOT

import train
from orc_keras import data, experiment, preconditions
from orc_keras.callbacks import NonFiniteLoss
from orc_keras.data.files import FileImages
from orc_keras.export.stock_layers import load_members
from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.record import read_history
from orc_keras.settings import Settings
from orc_keras.training import stage
from orc_keras.training.stage import saves_of

FEW = dict(pivot_epochs=0, students=("hidden12", "hidden6"))


def served(saved_model, images):
    signature = tf.saved_model.load(saved_model).signatures["serving_default"]
    return signature(images=tf.constant(images))["logits"]


def test_a_run_on_two_replicas(tiny, tmp_path):
    settings = tiny(strategy="mirrored", output_dir=str(tmp_path / "run"), **FEW)
    summary = experiment.prepare(settings)()
    assert summary["members"]["hidden6"]["role"] == "student"
    student = keras.saving.load_model(tmp_path / "run" / "student.keras")
    images = data.load().held_out.pixels.numpy()
    logits = student.predict((images / 255 - 0.5) / 0.3, verbose=0)
    np.testing.assert_allclose(served(tmp_path / "run" / "student", images), logits, atol=1e-4)


def test_a_run_in_mixed_precision(tiny, tmp_path):
    settings = tiny(mixed_precision="float16", output_dir=str(tmp_path / "run"), **FEW)
    experiment.prepare(settings)()
    logits = served(tmp_path / "run" / "student", data.load().held_out.pixels.numpy())
    assert logits.dtype == tf.float32
    keras.config.set_dtype_policy("float32")  # as it is in another process
    for network in load_members(tmp_path / "run" / "checkpoints" / "group.keras").values():
        layers = network._flatten_layers()
        assert {layer.compute_dtype for layer in layers} == {"float32"}, network.name


def test_members_that_learn_alone_need_no_pivot(tiny, tmp_path):
    summary = experiment.prepare(tiny(method="alone", output_dir=str(tmp_path)))()
    assert not (tmp_path / "pivot_history.csv").exists() and not (tmp_path / "roles.npy").exists()
    assert {member["taught"] for member in summary["members"].values()} == {None}


@pytest.mark.parametrize("synchronised", [False, True])
def test_batch_norms_are_synchronised_when_asked_for(synchronised):
    settings = Settings(
        dataset="digits",
        pivot="resnet8",
        students=("resnet8", "resnet8"),
        sync_batch_norm=synchronised,
    )
    group = experiment.build_group(settings, (8, 8, 1), 10)
    layers = [layer for network in group.members.values() for layer in network.layers]
    found = [x.synchronized for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    assert found == [synchronised] * 27


def test_what_fits_no_memory_is_refused_before_images_are_looked_for():
    settings = Settings(
        dataset="folder:/nowhere", pivot="resnet14", students=("resnet8",), image_size=20000
    )
    message = "--batch_size=64 and --image_size=20000: resnet14 takes more than .* of memory"
    with pytest.raises(ValueError, match=message):
        experiment.prepare(settings)


def test_a_run_compiled_by_xla_learns(tiny, tmp_path):
    """Five steps in one execution."""
    how = dict(jit_compile=True, steps_per_execution=5, epochs=6, decay_epochs=(6,))
    settings = tiny(output_dir=str(tmp_path), **FEW | how)
    experiment.prepare(settings)()
    losses = read_history(tmp_path / "history.csv")["loss"]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("deterministic", [False, True])
def test_determinism_is_turned_on_when_asked_for(tiny, tmp_path, monkeypatch, deterministic):
    calls = []
    enable = "enable_op_determinism"
    monkeypatch.setattr(tf.config.experimental, enable, lambda: calls.append(enable))
    experiment.prepare(tiny(deterministic=deterministic, output_dir=str(tmp_path / "run")))
    assert len(calls) == deterministic


def test_pivot_weights_replace_its_training(tiny, tmp_path):
    trained = hidden_network("hidden16", 16, seed=5)
    trained.save(tmp_path / "pivot.keras")
    where = dict(pivot_weights=str(tmp_path / "pivot.keras"), output_dir=str(tmp_path / "run"))
    experiment.prepare(tiny(learning_rate=1e-9, **FEW | where | {"pivot_epochs": 1}))()
    assert not (tmp_path / "run" / "pivot_history.csv").exists()
    group = keras.saving.load_model(tmp_path / "run" / "checkpoints" / "group.keras")
    assert_close(group.pivot, trained)


def test_pivot_weights_can_be_weights_only(tmp_path):
    trained, pivot = (hidden_network("hidden16", 16, seed=seed) for seed in (5, 6))
    trained.save_weights(tmp_path / "pivot.weights.h5")
    preconditions.load_pivot(pivot, tmp_path / "pivot.weights.h5")
    assert_close(pivot, trained)


def assert_close(network, other):
    for ours, theirs in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_loss_that_diverges_ends_the_run(tiny, tmp_path, monkeypatch):
    """In the second epoch; the save of the first stays."""
    settings = tiny(decay_factor=1e30, output_dir=str(tmp_path / "run"))
    monkeypatch.setattr(train.command_line, "from_flags", lambda *_: settings)
    with pytest.raises(SystemExit) as end:
        train.main(["train.py"])
    assert "no longer finite in epoch" in end.value.code and "hidden" in end.value.code
    epoch, step, values = saves_of(settings, tmp_path / "run", "group").read()
    assert (epoch, step) == (1, 0)
    assert all(np.isfinite(v).all() for name, v in values.items() if name != "history")
    with pytest.raises(NonFiniteLoss, match="in epoch 2;"):  # the same when it continues
        experiment.prepare(settings)()


@pytest.mark.parametrize("moment", ["load", "train_batches"])
def test_ctrl_c_outside_of_training(tiny, tmp_path, monkeypatch, capsys, moment):
    def stop(*_, **__):
        raise KeyboardInterrupt

    settings = tiny(output_dir=str(tmp_path / "run"))
    monkeypatch.setattr(train.command_line, "from_flags", lambda *_: settings)
    monkeypatch.setattr(data, moment, stop)
    with pytest.raises(SystemExit) as end:
        train.main(["train.py"])
    assert end.value.code == 130
    assert capsys.readouterr().err == "train.py: stopped by SIGINT; the same command continues.\n"


@pytest.mark.parametrize(
    "error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")]
)
def test_a_memory_that_is_too_small(tiny, tmp_path, monkeypatch, error):
    def exhaust(*_, **__):
        raise error

    settings = tiny(output_dir=str(tmp_path / "run"))
    monkeypatch.setattr(train.command_line, "from_flags", lambda *_: settings)
    monkeypatch.setattr(data, "train_batches", exhaust)
    with pytest.raises(SystemExit) as end:
        train.main(["train.py"])
    assert end.value.code.startswith("train.py: the memory is too small for this group; a smaller")


@pytest.mark.parametrize(
    "changed, command",
    [
        ({"output_dir": "here"}, "the same command continues"),
        ({"output_dir": "here", "overwrite": True}, "the same command without --overwrite contin"),
        ({}, r"the same command with --output_dir=runs/[\d-]+ continues"),
    ],
)
def test_which_command_continues(tiny, changed, command):
    assert re.match(command, RunDirectory(tiny(**changed)).how_to_continue())


def test_flags_that_the_method_does_not_use_are_named_first(tiny, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    flags = dict(method="kd", mixup_alpha=0.5, role_change_interval=3, temperature=2.0)
    run = experiment.prepare(tiny(output_dir=str(tmp_path), **flags))
    monkeypatch.setattr(stage, "train", stop)
    with pytest.raises(KeyboardInterrupt):
        run()
    *_, unused, _ = capsys.readouterr().out.splitlines()
    assert unused == "Not used by --method=kd: --mixup_alpha, --role_change_interval."


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
    monkeypatch.setattr(train.command_line, "from_flags", lambda *_: settings)
    (tmp_path / "train7.png").write_text("no image")
    with pytest.raises(SystemExit) as end:
        train.main(["train.py"])
    assert "Images can no longer be read. Of 20 images 1 cannot be used" in end.value.code
    assert f"{tmp_path}/train7.png is damaged or truncated" in end.value.code


@pytest.mark.parametrize("text", ["", "null", "[1]", "{"])
def test_a_damaged_description_of_the_data_is_named(tiny, tmp_path, text):
    settings = tiny(output_dir=str(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.flags").write_text(settings.as_flags())
    (tmp_path / "run" / "data.json").write_text(text)
    with pytest.raises(ValueError, match="data.json is damaged; begin anew by adding --overwrite"):
        experiment.prepare(settings)
    experiment.prepare(dataclasses.replace(settings, overwrite=True))


def test_a_run_does_not_continue_with_other_images(tiny, tmp_path, monkeypatch):
    settings = tiny(output_dir=str(tmp_path / "run"))
    run = experiment.prepare(settings)
    run.args[0].directory.close()
    images = data.load()
    other = dataclasses.replace(images, notes={"files": "others"}, class_names=tuple("abcdf"))
    monkeypatch.setattr(data, "load", lambda *_, **__: other)
    with pytest.raises(ValueError, match=r"is not what it was when the run in .* \(class_names\)"):
        experiment.prepare(settings)


def test_overwrite_deletes_the_earlier_run_and_nothing_else(tiny, tmp_path):
    directory = tmp_path / "run"
    settings = tiny(output_dir=str(directory))
    experiment.prepare(settings)
    for name in ("pivot_history.csv", "stage1_history.csv", "checkpoints/group.keras"):
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
    pivot = str(directory / "checkpoints" / "group.keras")
    with pytest.raises(ValueError, match="--overwrite would delete --pivot_weights="):
        experiment.prepare(dataclasses.replace(settings, pivot_weights=pivot))


@pytest.mark.parametrize("changed", [{}, {"seed": 2}, {"overwrite": True}])
def test_two_runs_that_start_together_do_not_share_a_directory(tiny, tmp_path, changed):
    """Neither the same run, continued while it goes on, nor another, nor one that overwrites."""
    first = RunDirectory(tiny(output_dir=str(tmp_path / "run")))
    second = RunDirectory(tiny(output_dir=str(tmp_path / "run"), **changed))
    first.check()
    second.check()
    first.claim()
    with pytest.raises(ValueError, match="--output_dir=.* is in use by another process"):
        second.claim()
    first.close()
    if "seed" not in changed:
        second.claim()


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
        ({"batch_size": 41}, "--batch_size=41 is more than the 40 training images"),
        ({"batch_size": 7, "strategy": "mirrored"}, "--batch_size=7 is not divisible by the 2"),
        (
            {"steps_per_execution": 2},
            "=2 does not divide the 5 steps of an epoch; possible are 1, 5",
        ),
        ({"jit_compile": True, "strategy": "mirrored"}, "works on one device, not on 2 replicas"),
        ({"students": ("hidden6",)}, "at least two students, not 1"),
        (
            {"num_temporary_teachers": 3},
            "num_temporary_teachers must be .* below .* students, 3, not 3",
        ),
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


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_pivot_weights_that_are_not_finite(tiny, tmp_path, wrong):
    network = hidden_network("hidden16", 16)
    network.set_weights([np.full_like(weight, wrong) for weight in network.get_weights()])
    network.save(tmp_path / "pivot.keras")
    settings = tiny(pivot_weights=str(tmp_path / "pivot.keras"), output_dir=str(tmp_path / "run"))
    with pytest.raises(ValueError, match="--pivot_weights=.* has NaN or infinite numbers in"):
        experiment.prepare(settings)


def test_pivot_weights_of_another_network(tiny, tmp_path):
    hidden_network("hidden9", 9).save(tmp_path / "other.keras")
    settings = tiny(pivot_weights=str(tmp_path / "other.keras"), output_dir=str(tmp_path / "run"))
    message = r"does not hold the weights of a hidden16 for .* \(4, 4, 1\) and 5 classes"
    with pytest.raises(ValueError, match=message):
        experiment.prepare(settings)
    assert not (tmp_path / "run").exists()
