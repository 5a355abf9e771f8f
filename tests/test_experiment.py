"""Whole runs in this process, with tiny networks and data."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import hidden_network

import orc_keras
from orc_keras import building, data, experiment, models
from orc_keras.evaluate.members import load_group_members
from orc_keras.export import tflite
from orc_keras.runs import RunDirectory
from orc_keras.settings import Settings
from orc_keras.training import stage

FEW = dict(pivot_epochs=0, pivot_learning_rate=1.0, students=("hidden12", "hidden6"))


def served(saved_model, images):
    signature = tf.saved_model.load(saved_model).signatures["serving_default"]
    return signature(images=tf.constant(images))["logits"]


@pytest.mark.slow
def test_a_run_on_two_replicas(tiny, tmp_path):
    settings = tiny(strategy="mirrored", output_dir=str(tmp_path / "run"), **FEW)
    summary = experiment.prepare(settings)()
    assert summary["members"]["hidden6"]["role"] == "student"
    student = keras.saving.load_model(tmp_path / "run" / "student.keras")
    images = data.load().held_out.pixels.numpy()
    logits = student.predict((images / 255 - 0.5) / 0.3, verbose=0)
    np.testing.assert_allclose(served(tmp_path / "run" / "student", images), logits, atol=1e-4)


@pytest.mark.slow
def test_a_run_that_ends_early_is_judged_by_a_part_of_its_training_images(tiny, tmp_path, capsys):
    """By the best epoch's weights, and the same where it continues from an early save."""
    how = dict(
        patience=2,
        patience_fraction=0.25,
        epochs=30,
        batch_size=10,
        max_checkpoints=99,
        decay_epochs=(30,),
    )
    settings = tiny(output_dir=str(tmp_path / "run"), method="kd", learning_rate=0.5, **how)
    summary = experiment.prepare(settings)()
    run = tmp_path / "run"
    accuracies = RunDirectory(run).history()["val_accuracy"]
    best = int(np.argmax(accuracies))
    assert len(accuracies) == best + 3 < 30
    assert (
        f"These are the weights of epoch {best + 1}, the best on validation"
        in capsys.readouterr().out
    )
    assert summary["data"]["train_images"] == 30 and summary["data"]["validation_images"] == 10
    members = load_group_members(run / "checkpoints" / "group.keras")
    apart = data.load().with_validation(0.25)
    images, labels = apart.validation.read(np.arange(10))
    logits = members["hidden6"](data.normalise(images, apart.mean, apart.std))
    assert np.mean(np.argmax(logits, axis=1) == labels) == pytest.approx(accuracies[best])

    (run / "summary.json").unlink()
    for save in (run / "checkpoints").glob("group-*.npz"):
        if save.name > "group-000002":
            save.unlink()
    experiment.prepare(settings)()
    again = load_group_members(run / "checkpoints" / "group.keras")
    for ours, before in zip(again["hidden6"].get_weights(), members["hidden6"].get_weights()):
        np.testing.assert_array_equal(ours, before)


@pytest.mark.slow
def test_a_run_in_mixed_precision(tiny, tmp_path):
    settings = tiny(mixed_precision="float16", output_dir=str(tmp_path / "run"), **FEW)
    experiment.prepare(settings)()
    logits = served(tmp_path / "run" / "student", data.load().held_out.pixels.numpy())
    assert logits.dtype == tf.float32
    keras.config.set_dtype_policy("float32")  # as it is in another process
    for network in load_group_members(tmp_path / "run" / "checkpoints" / "group.keras").values():
        layers = models.leaf_layers(network)
        assert {layer.compute_dtype for layer in layers} == {"float32"}, network.name


def test_a_run_in_one_call(tiny, tmp_path, capsys):
    """By keywords, as by flags; of members that learn alone, which need no pivot."""
    settings = tiny(method="alone", output_dir=str(tmp_path / "run"))
    keywords = {name: getattr(settings, name) for name in settings.changed()}
    given = keywords | dict(output_dir=tmp_path / "run", students=[*settings.students])
    run = orc_keras.train(**given)
    assert run.settings.identity() == settings.identity()
    assert not run.has("pivot_history.csv") and not run.has("roles.npy")
    assert {member["taught"] for member in run.summary["members"].values()} == {None}
    images, labels = data.load().held_out.read(np.arange(20))
    student = keras.saving.load_model(run / "student.keras")
    hits = np.argmax(student((images.numpy() / 255 - 0.5) / 0.3), axis=1) == labels
    assert run.summary["members"]["hidden6"]["accuracy"] == pytest.approx(np.mean(hits))
    capsys.readouterr()
    assert orc_keras.train(**given).summary == run.summary
    assert "holds this run, finished" in capsys.readouterr().out
    with pytest.raises(ValueError, match="Unknown .* 'epoch'. Did you mean: epochs"):
        orc_keras.train(**given, epoch=3)


def test_what_tensorflow_lite_lacks_does_not_end_the_run(tiny, tmp_path, monkeypatch, capsys):
    def lacks(*_):
        raise tflite.Unsupported("It has no Erf.")

    monkeypatch.setattr(tflite, "convert", lacks)
    summary = experiment.prepare(tiny(method="alone", output_dir=str(tmp_path)))()
    assert list(summary["formats"]) == ["saved_model", "keras"]
    assert "student.tflite is left out. It has no Erf." in capsys.readouterr().out


@pytest.mark.parametrize("synchronised", [False, True])
def test_batch_norms_are_synchronised_when_asked_for(synchronised):
    settings = Settings(
        dataset="digits",
        pivot="resnet8",
        students=("resnet8", "resnet8"),
        sync_batch_norm=synchronised,
    )
    group = building.build_group(settings, (8, 8, 1), 10)
    layers = [layer for network in group.members.values() for layer in network.layers]
    found = [x.synchronized for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    assert found == [synchronised] * 27


def test_learning_rates_of_members():
    networks = dict(pivot="resnet8", students=("resnet8", "resnet8"))
    settings = Settings(dataset="digits", student_learning_rates=(0.5, 1.0), **networks)
    group = building.build_group(settings, (8, 8, 1), 10)
    assert group.learning_rate_factors == {"resnet8": 0.01, "resnet8_2": 0.5}


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


def test_the_saved_pivot_is_the_same_file_after_a_run_continues(tiny, tmp_path, monkeypatch):
    def only_pivot(run, group, train=stage.train):
        if group.stage != "pivot":
            raise KeyboardInterrupt
        return train(run, group)

    monkeypatch.setattr(stage, "train", only_pivot)
    settings = tiny(output_dir=str(tmp_path), **FEW | {"pivot_epochs": 1})
    saved = set()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            experiment.prepare(settings)()
        saved.add((tmp_path / "checkpoints" / "pivot.keras").read_bytes())
    assert len(saved) == 1


def test_pivot_weights_can_be_weights_only(tmp_path):
    trained, pivot = (hidden_network("hidden16", 16, seed=seed) for seed in (5, 6))
    trained.save_weights(tmp_path / "pivot.weights.h5")
    building.load_pivot(pivot, tmp_path / "pivot.weights.h5")
    assert_close(pivot, trained)


def assert_close(network, other):
    for ours, theirs in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


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


@pytest.mark.slow
def test_a_run_ends_without_what_only_reports_and_exports_need(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "orc_keras.report.page", None)  # as if not installed
    monkeypatch.delattr("orc_keras.report.page")
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    experiment.prepare(tiny(output_dir=str(tmp_path / "run")))()
    printed = capsys.readouterr().out
    assert "student.tflite is left out. LiteRT is missing; pip install" in printed
    assert "its report needs orc_keras.report.page: pip install 'orc-keras[report]'" in printed
    assert (tmp_path / "run" / "student.keras").exists()
    assert not (tmp_path / "run" / "student.tflite").exists()
