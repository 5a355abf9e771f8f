"""Methods in which the students learn one after the other, as whole runs."""

import os
import signal

import keras
import numpy as np
import pytest
from helpers.networks import hidden_group_members

import orc_keras
from orc_keras import callbacks, experiment
from orc_keras.runs.record import read_history
from orc_keras.training.signals import Stopped


class Interrupted(Exception):
    """In place of a power cut."""


def test_a_run_continues_in_the_stage_in_which_it_was_interrupted(tiny, tmp_path, monkeypatch):
    """Interrupted in the second epoch of each of three stages: weights and histories are equal."""

    def run(name):
        settings = tiny(method="dgkd", output_dir=str(tmp_path / name))
        return experiment.prepare(settings)()

    whole = run("whole")
    epochs = []
    end = callbacks.Throughput.on_epoch_end

    def interrupt(self, epoch, logs=None):
        end(self, epoch, logs)
        epochs.append(epoch)
        if len(epochs) in (
            3,
            6,
            9,
        ):  # after the pivot's, of each stage the first and twice the second
            raise Interrupted

    monkeypatch.setattr(callbacks.Throughput, "on_epoch_end", interrupt)
    for _ in range(3):
        with pytest.raises(Interrupted):
            run("interrupted")
    continued = run("interrupted")
    assert epochs == [0, 0, 1, 1, 0, 1, 1, 0, 1, 1]
    for member, result in whole["members"].items():
        assert continued["members"][member] == result
    for name in ("stage1_history", "stage2_history", "history", "pivot_history"):
        files = [(tmp_path / run / f"{name}.csv").read_text() for run in ("whole", "interrupted")]
        assert files[0] == files[1]
    members = [weights(tmp_path / run) for run in ("whole", "interrupted")]
    for ours, theirs in zip(*members, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_signal_in_the_validation_of_a_stage(tiny, tmp_path, monkeypatch):
    """The epoch is passed over then; its metrics are those of the members that learnt."""

    def run(name):
        settings = tiny(method="takd", output_dir=str(tmp_path / name))
        return experiment.prepare(settings)()

    run("whole")
    tests = []

    def stop(self, logs=None):
        tests.append(self)
        if len(tests) in (3, 5):  # after stage 1's last epoch, and after stage 2's first
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(callbacks.Throughput, "on_test_begin", stop)
    for _ in range(2):
        with pytest.raises(Stopped):
            run("stopped")
    run("stopped")
    for name in ("stage1_history", "stage2_history", "history"):
        files = [(tmp_path / run / f"{name}.csv").read_text() for run in ("whole", "stopped")]
        assert files[0] == files[1], name


def weights(run):
    return keras.saving.load_model(run / "checkpoints" / "group.keras").get_weights()


def test_each_stage_has_the_recipe_and_shows_its_learner(tiny, tmp_path, capsys):
    """Its own learning rate from the start, and a history of those that learn."""
    experiment.prepare(tiny(method="takd", output_dir=str(tmp_path / "run")))()
    learners = {"stage1_history": "hidden12", "stage2_history": "hidden8", "history": "hidden6"}
    for name, learner in learners.items():
        history = read_history(tmp_path / "run" / f"{name}.csv")
        np.testing.assert_allclose(history["learning_rate"], [0.05, 0.005])
        assert f"{learner}_loss" in history and "val_hidden6_loss" in history
    printed = capsys.readouterr().out
    for learner in learners.values():
        assert f"of 3 learns: {learner} (epochs: 2)." in printed
    lines = [line for line in printed.splitlines() if "val_" in line]
    assert "hidden12_accuracy" in lines[1] and "val_hidden12_loss" in lines[1]
    assert " accuracy" in lines[-1] and "hidden" not in lines[-1]


def test_overwriting_a_run_deletes_the_histories_of_its_stages(tiny, tmp_path):
    directory = tmp_path / "run"
    experiment.prepare(tiny(method="takd", epochs=1, output_dir=str(directory)))()
    (directory / "stages_history.csv").write_text("of a theatre")
    experiment.prepare(tiny(output_dir=str(directory), overwrite=True))
    names = [path.name for path in directory.glob("stage*")]
    assert names == ["stages_history.csv"]


def test_an_unknown_stage():
    group = orc_keras.TeacherAssistants(*hidden_group_members())
    with pytest.raises(ValueError, match="one of stage1, stage2, group, not stage3"):
        group.enter("stage3")
