"""Runs that are killed, and continued, end as if they had never been."""

import contextlib
import os
import random
import signal
import time

import pytest
from saved_runs import FLAGS, LAST, assert_same_end, saves, wait_for_saves
from tiny_run import TinyRuns

from orc_keras import command_line
from orc_keras.training.stage import saves_of


@pytest.fixture(scope="module")
def runs():
    with TinyRuns() as runs:
        yield runs


@pytest.fixture(scope="module")
def whole(runs, tmp_path_factory):
    """The directory of a run that was never killed."""
    directory = tmp_path_factory.mktemp("whole")
    runs.start(*FLAGS, f"--output_dir={directory}")
    code, printed = runs.wait()
    assert code == 0, printed
    return directory


def test_a_run_that_is_killed_again_and_again(runs, whole, tmp_path):
    """In both stages, at any moment of a step, a save, a validation or the export."""
    directory, rng, stages = tmp_path / "run", random.Random(0), []
    while stages.count("export") < 2:
        process = runs.start(*FLAGS, f"--output_dir={directory}")
        wait_for_saves(directory, rng.randint(1, 5))
        there = saves(directory)
        exporting = LAST[1] in there
        stages.append("export" if exporting else min(there)[:5])  # group comes before pivot
        time.sleep(rng.uniform(0, 5 if exporting else 0.1))
        with contextlib.suppress(ProcessLookupError):  # it may have come to its end
            os.kill(process, signal.SIGKILL)
        code, printed = runs.wait()
        assert code in (-signal.SIGKILL, 0), printed
    assert stages.count("pivot") >= 1 and stages.count("group") >= 2
    runs.start(*FLAGS, f"--output_dir={directory}")
    code, printed = runs.wait()
    assert code == 0, printed
    assert_same_end(directory, whole)
    assert len(saves(directory)) == 4, "the newest two of each stage"


def test_sigterm_saves_and_ends_the_run(runs, whole, tmp_path):
    directory = tmp_path / "run"
    flags = [*FLAGS, f"--output_dir={directory}"]
    for stage in ("pivot", "group"):
        process = runs.start(*flags)
        while not any(name.startswith(stage) for name in saves(directory)):
            wait_for_saves(directory, 1)
        os.kill(process, signal.SIGTERM)
        code, printed = runs.wait()
        assert code == 128 + signal.SIGTERM, printed
        last = printed.splitlines()[-1]
        assert last == "train.py: stopped by SIGTERM; the same command continues."
        assert "Traceback" not in printed
    runs.start(*flags)
    code, printed = runs.wait()
    assert code == 0 and "Continuing: 44 of 44 steps" in printed
    assert_same_end(directory, whole)


def test_a_full_disk_costs_nothing_that_was_saved(runs, tmp_path):
    directory = tmp_path / "run"
    flags = [*FLAGS, f"--output_dir={directory}"]
    process = runs.start(*flags)
    wait_for_saves(directory, 3)
    os.kill(process, signal.SIGKILL)
    runs.wait()
    before = saves(directory)
    runs.start(*flags, file_limit=4000)
    code, printed = runs.wait()
    assert code == 1 and "Traceback" not in printed, printed
    last = printed.splitlines()[-1]
    assert last.startswith(f"train.py: {directory}/checkpoints/pivot-") and "File too large" in last
    assert last.endswith("what was saved before is there, the same command continues.")
    assert saves(directory) == before
    settings = command_line.from_text((directory / "settings.flags").read_text())
    assert saves_of(settings, directory, "pivot").read()[2] is not None
