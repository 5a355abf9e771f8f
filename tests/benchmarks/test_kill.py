"""What benchmarks/kill.py compares; that runs continue to the bit is tested in training/."""

import collections
import random
import shutil
import signal

import numpy as np
import pytest
from helpers import smoke  # noqa: F401 (it makes benchmarks importable)

from orc_keras.files import UNFINISHED

import kill  # isort: skip  (which smoke makes importable)


@pytest.mark.slow
def test_differences(digits_run, tmp_path, monkeypatch):
    """A run is equal to its copy, until a weight, a file or an unfinished one differs."""
    monkeypatch.setattr(kill, "LAST", ())
    run = shutil.copytree(digits_run, tmp_path / "run")
    assert kill.differences(digits_run, run) == [] and len(kill.values_of(run)) > 20
    roles = np.zeros((2, 1), np.uint8)
    np.save(run / "roles.npy", roles)
    (run / f"{UNFINISHED}a").touch()
    shutil.copy(run / "checkpoints/group.keras", run / "student.keras")
    sentences = kill.differences(digits_run, run)
    assert "arrays differ, such as roles.npy" in sentences[0] and f"{UNFINISHED}a" in sentences[1]


@pytest.mark.slow
def test_a_run_is_stopped_at_drawn_moments_until_it_ends(tmp_path):
    """With a stand-in for the runs, which takes three kills and then ends, or fails."""

    class Runs:
        codes = iter([0])  # the run that nothing stops

        def run(self, *flags, at=None):
            return next(self.codes), ""

        start = run

    (tmp_path / "checkpoints").mkdir()
    whole, rng, kills = kill.Whole(Runs(), tmp_path, []), random.Random(0), collections.Counter()
    Runs.codes = iter([-9, 143, -15, 0])
    whole.draw = lambda run, rng: ("step", 3, signal.SIGKILL)
    assert kill.kill(Runs(), tmp_path, whole, rng, kills, 9) == []
    assert kills.total() == 3
    Runs.codes = iter([1])
    assert "exit status 1 after step 3" in kill.kill(Runs(), tmp_path, whole, rng, kills, 9)[0]
