import numpy as np
from helpers import smoke

import method_cost  # isort: skip  (which smoke makes importable)
from orc_keras.groups.methods import METHODS


def test_what_it_prints(tiny, capsys):
    smoke.run(method_cost, *smoke.TINY, "--turns=2", "--methods=takd")
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["ms", "times", "alone", "with", "the", "pivot"]
    table = {name: list(map(float, numbers)) for name, *numbers in map(str.split, rows)}
    assert list(table) == ["alone", "takd"]
    assert table["alone"][1] == 1 and min(map(min, table.values())) > 0


def test_the_pivots_steps_are_added_where_it_learns_before(capsys):
    """In each turn, relative to the same turn."""
    times = {name: np.array([2.0, 4.0, 6.0]) for name in (*METHODS, "pivot")}
    times["alone"] = np.array([1.0, 2.0, 3.0])
    method_cost.show(times, pivot_steps=0.5)
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:])
    assert rows["orc"].split() == ["4000.0", "2.00", "3.00"]
    assert rows["dml"].split() == ["4000.0", "2.00", "2.00"]
