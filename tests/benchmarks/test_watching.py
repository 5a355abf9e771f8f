from types import SimpleNamespace

import pytest
from helpers import smoke

import watching  # isort: skip  (which smoke makes importable)


def test_what_it_prints(tiny, capsys):
    smoke.run(watching, *smoke.TINY, "--turns=4", "--steps=2")
    printed = capsys.readouterr().out
    assert "without records" in printed and "half of the turns" in printed
    steps, all_of_it = (
        smoke.number_behind(printed, words)
        for words in ("ratio of the steps", "ratio, that included")
    )
    assert 0 < steps < all_of_it, "the end of an epoch takes time"


def group_with(left_out, metrics):
    return SimpleNamespace(role_record=SimpleNamespace(left_out=left_out), metrics=metrics)


@pytest.mark.parametrize("method", sorted(watching.RECORDING))
def test_a_method_that_the_library_does_not_call_is_noticed(group, method):
    """As if it had been renamed: what is to be left out would be recorded."""
    unrecorded = group_with(watching.RECORDING - {method}, [])
    with pytest.raises(SystemExit, match=f"does not record by RoleRecord.{method} any more"):
        watching.check(group, unrecorded)


def test_metrics_that_are_not_left_out_are_noticed(group):
    unrecorded = group_with(watching.RECORDING, group.metrics)
    with pytest.raises(SystemExit, match="all that one group measures and not the other"):
        watching.check(group, unrecorded)


def test_a_method_without_roles_is_refused(tiny):
    with pytest.raises(SystemExit, match="--method must be orc, not kd"):
        smoke.run(watching, *smoke.TINY, "--method=kd")
