"""Methods in which the students learn one after the other, as whole runs."""

import numpy as np
import pytest
from helpers.networks import hidden_group_members

import orc_keras
from orc_keras import callbacks, experiment
from orc_keras.runs import RunDirectory


class Interrupted(Exception):
    """In place of a power cut."""


@pytest.mark.slow
def test_a_run_continues_in_the_stage_in_which_it_was_interrupted(
    tiny, tmp_path, monkeypatch, capsys
):
    """No stage learns twice; each has its own learning rate from the start, and its history.

    Each ends with an evaluation, and has none before.
    """
    settings = tiny(method="takd", evaluate_every=2, output_dir=str(tmp_path / "run"))
    epochs = []
    end = callbacks.Throughput.on_epoch_end

    def interrupt(self, epoch, logs=None):
        end(self, epoch, logs)
        epochs.append(epoch)
        if len(epochs) == 4:  # one of the pivot, two of the first stage, one of the second
            raise Interrupted

    monkeypatch.setattr(callbacks.Throughput, "on_epoch_end", interrupt)
    with pytest.raises(Interrupted):
        experiment.prepare(settings)()
    experiment.prepare(settings)()
    assert epochs == [0, 0, 1, 0, 0, 1, 0, 1]  # an epoch is saved when the next one begins
    learners = {"stage1": "hidden12", "stage2": "hidden8", "group": "hidden6"}
    for name, learner in learners.items():
        history = RunDirectory(tmp_path / "run").history(name)
        np.testing.assert_allclose(history["learning_rate"], [0.05, 0.005])
        assert f"{learner}_loss" in history
        assert np.isnan(history["val_hidden6_loss"]).tolist() == [True, False]
    printed = capsys.readouterr().out
    for learner in learners.values():
        assert f"of 3 learns: {learner} (epochs: 2)." in printed
    lines = [line for line in printed.splitlines() if line.startswith("epoch ")]
    evaluated = [line.split()[1] for line in lines if "held out" in line]
    assert evaluated == ["1", "2", "2", "2"] and len(lines) == len(epochs) - 1


def test_an_unknown_stage():
    group = orc_keras.TeacherAssistants(*hidden_group_members())
    with pytest.raises(ValueError, match="one of pivot, stage1, stage2, group, not stage3"):
        group.set_stage("stage3")
