import numpy as np
import pytest
from helpers import smoke

import common  # isort: skip  (which smoke makes importable)
import method_cost  # isort: skip
from orc_keras.groups import METHODS


def test_what_it_prints(tiny, capsys):
    smoke.run(method_cost, *smoke.TINY, "--turns=2", "--methods=takd")
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["ms", "times", "alone", "with", "the", "pivot"]
    table = {name: list(map(float, numbers)) for name, *numbers in map(str.split, rows)}
    assert list(table) == ["alone", "takd"]
    assert table["alone"][1] == 1 and min(map(min, table.values())) > 0


def test_the_pivots_steps_are_added_where_it_learns_before(capsys):
    """In each turn, relative to the same turn; the milliseconds are of one of its mini-batches."""
    times = {name: np.array([2.0, 4.0, 6.0]) for name in (*METHODS, "pivot")}
    times["alone"] = np.array([1.0, 2.0, 3.0])
    method_cost.show(times, mini_batches=4, pivot_steps=0.5)
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:])
    assert rows["orc"].split() == ["1000.0", "2.00", "3.00"]
    assert rows["dml"].split() == ["1000.0", "2.00", "2.00"]


@pytest.mark.parametrize(
    "method, stages", [("orc", ["group"]), ("kd", ["group"]), ("takd", ["stage1", "group"])]
)
def test_the_pivot_alone_is_no_part_of_a_step(tiny, monkeypatch, method, stages):
    made = []
    monkeypatch.setattr(common, "step_of", lambda group, _: lambda: made.append(group.stage))
    settings = tiny(students=("hidden12", "hidden8"))
    batch = common.random_batch(settings, (4, 4, 1), classes=5)
    method_cost.steps(settings, method, (4, 4, 1), 5, batch)
    assert made == stages
