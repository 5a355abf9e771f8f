"""The example of docs/CONTRIBUTING.md is a method: it trains, is saved, and has its flag."""

import re

import keras
import numpy as np
import pytest
from helpers.networks import hidden_group_members
from helpers.programs import ROOT

from orc_keras.arguments import arguments_of
from orc_keras.groups import METHODS


def test_the_example_is_a_method(few, tmp_path):
    text = (ROOT / "docs/CONTRIBUTING.md").read_text()
    example, _ = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(example, {"__name__": "example"})
    method = METHODS.pop("pseudo-labels")
    assert arguments_of(method)["distillation_weight"].help.startswith("Weight of the teachers")

    pivot, students = hidden_group_members()
    group = method(pivot, students, distillation_weight=0.0)
    group.compile(keras.optimizers.SGD(0.1))
    alone = METHODS["alone"](*hidden_group_members())
    alone.compile(keras.optimizers.SGD(0.1))
    before = pivot.get_weights()
    for each in (group, alone):  # without the pivot's weight they are the same
        each.fit(*few, batch_size=8, shuffle=False, verbose=0)
    for ours, theirs in zip(group.student.get_weights(), alone.student.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert all(map(np.array_equal, before, pivot.get_weights()))

    group.save(tmp_path / "group.keras")
    loaded = keras.saving.load_model(tmp_path / "group.keras")
    assert loaded.distillation_weight == 0.0


@pytest.mark.parametrize("step", ["train_step", "test_step"])
def test_a_step_is_the_one_that_the_class_has_when_it_runs(group, monkeypatch, step):
    monkeypatch.setattr(type(group), step, lambda self, data: (self, data))
    assert getattr(group, step)("mini-batch") == (group, "mini-batch")
