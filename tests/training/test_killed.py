"""A run of train.py that is stopped in every way, and continued, ends as if it had never been."""

import signal

import pytest
from helpers.saved_runs import FLAGS, LAST, STEPS, assert_same_end, saves
from helpers.tiny_run import TinyRuns

pytestmark = pytest.mark.slow  # processes that are killed

KILL, TERM = signal.SIGKILL, signal.SIGTERM


@pytest.fixture(scope="module")
def runs():
    with TinyRuns() as runs:
        yield runs


@pytest.fixture(scope="module")
def whole(runs, tmp_path_factory):
    """The directory of a run that nothing stopped."""
    directory = tmp_path_factory.mktemp("whole")
    code, printed = runs.run(*FLAGS, f"--output_dir={directory}")
    assert code == 0, printed
    return directory


def test_a_run_that_is_stopped_again_and_again(runs, whole, tmp_path):
    """In both stages: after a step, in a save and in the export; by a full disk too."""
    directory = tmp_path / "run"
    flags = (f"--flagfile={whole}/settings.flags", f"--output_dir={directory}")

    def stop(at, **how):
        """Continues the run until it is stopped; returns the last line, and the newest save."""
        code, printed = runs.run(*flags, at=at, **how)
        assert code == {KILL: -KILL, TERM: 128 + TERM}[at[2]] if at else 1, printed
        assert "Traceback" not in printed
        newest = max(saves(directory), key=lambda name: (name.startswith("group"), name))
        return printed.splitlines()[-1], newest

    continues = "train.py: stopped by SIGTERM; the same command continues."
    assert stop(("step", 8, KILL))[1] == "pivot-000000-00000006.npz"
    last, newest = stop(None, file_limit=4000)
    assert last.startswith(f"train.py: {directory}/checkpoints/pivot-") and "File too large" in last
    assert last.endswith("what was saved before is there, the same command continues.")
    assert newest == "pivot-000000-00000006.npz"
    assert stop(("rename", "group-000000-00000006.npz", KILL))[1] == "group-000000-00000003.npz"
    assert stop(("step", STEPS - 3 + 5, TERM)) == (continues, "group-000001-00000005.npz")
    assert stop(("rename", "student.keras", KILL))[1] == LAST[1]
    code, printed = runs.run(*flags)
    assert code == 0 and "Continuing: 22 of 22 steps" in printed, printed
    assert_same_end(directory, whole)
    assert len(saves(directory)) == 4, "the newest two of each stage"
