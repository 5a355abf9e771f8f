import numpy as np
from helpers import smoke

import step_cost  # isort: skip  (which smoke makes importable)


def test_what_it_prints(tiny, capsys):
    smoke.run(step_cost, *smoke.TINY, "--turns=2", "--steps_per_execution=2")
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    times = {name: [float(ms) for ms in rows[name]] for name in ("hidden16", "hidden12", "hidden8")}
    assert all(len(each) == 3 and min(each) > 0 for each in times.values())
    alone, stock = (sum(each[column] for each in times.values()) for column in (0, 1))
    group = smoke.number_behind(printed, "the group  ")
    for words, sum_of in (("group / sum", alone), ("group / stock sum", stock)):
        low, high = (group - 0.05) / (sum_of + 0.25), (group + 0.05) / (sum_of - 0.25)
        assert low < smoke.number_behind(printed, words) < high  # all of them are rounded
    for words in ("images per second", "peak memory, GB"):
        assert smoke.number_behind(printed, words) > 0
    assert "taught: hidden12 " in printed and "seconds to trace" in printed


def test_the_floor_by_operations(group):
    """Two passes more: the pivot's, and that of whoever taught."""
    costs = {"pivot": 10.0, "large": 4.0, "middle": 2.0, "small": 1.0}
    assert step_cost.teachers_passes(group, [0.5, 0.5, 0.0], costs) == 10 + 2 + 1
    np.testing.assert_allclose(step_cost.teachers_passes(group, [0, 0, 1], costs), 11)
