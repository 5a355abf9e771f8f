"""It kills a stand-in for train.py; a real run shows that the two look alike from outside.

Real runs that are killed: `tests/test_killed.py`.
"""

import json
import os
import shutil
import sys
import types

import numpy as np
import pytest
from helpers import smoke
from helpers.tiny import tiny_settings

import killed_run  # isort: skip  (which smoke makes importable)
from killing import children, comparison, equality, phases, runs  # isort: skip

from orc_keras import experiment

STAND_IN = str(smoke.ROOT / "tests" / "benchmarks" / "stand_in.py")


class Real:
    """A finished run of train.py, and which saves could be seen while they were written."""

    def __init__(self, directory, monkeypatch):
        self.directory, self.saves = directory / "run", set()
        process = types.SimpleNamespace(pid=os.getpid(), poll=lambda: None)
        self.watch = phases.Watch(process, self.directory, directory / "log", 0)
        for name in ("rename", "replace"):
            monkeypatch.setattr(os, name, self._looking(getattr(os, name)))

    def _looking(self, rename):
        def renamed(*arguments, **options):
            self.saves |= {stage for stage in phases.SAVING if self.watch.save(stage)}
            return rename(*arguments, **options)

        return renamed


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    directory = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as monkeypatch, open(directory / "log", "w") as log:
        made = Real(directory, monkeypatch)
        settings = tiny_settings(monkeypatch)(
            students=("hidden12", "hidden8"), epochs=1, output_dir=str(made.directory)
        )
        monkeypatch.setattr(sys, "stdout", log)
        experiment.prepare(settings)()
    (made.directory / "report").mkdir(exist_ok=True)
    (made.directory / "report" / "report.html").touch()  # which tiny runs leave out
    return made


@pytest.mark.parametrize("phase", phases.ORDER[2:])
def test_it_sees_how_far_a_run_has_got(real, phase):
    """But for the second one: that is seen by a library that loading the digits takes."""
    assert phases.BEGINS[phase](real.watch)


def test_it_sees_saves_while_they_are_written(real):
    assert real.saves == set(phases.SAVING)


def test_an_equal_run_is_equal(real, tmp_path):
    shutil.copytree(real.directory, tmp_path / "copy")
    found, numbers = equality.differences(real.directory, tmp_path / "copy")
    assert not found and numbers > 1000


def change_history(run):
    with open(run / "history.csv", "a") as file:
        file.write("1")


def change_summary(run):
    summary = json.loads((run / "summary.json").read_text())
    summary["members"]["hidden8"]["accuracy"] += 1e-6
    (run / "summary.json").write_text(json.dumps(summary))


def change_roles(run):
    np.save(run / "roles.npy", 1 - np.load(run / "roles.npy"))


def damage_saves(run):
    for save in (run / "checkpoints").glob("group-*"):
        for file in save.iterdir() if save.is_dir() else [save]:
            file.write_bytes(file.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(
    "change, where",
    [
        (change_history, "history.csv: 1 of 1 values differ"),
        (change_summary, "summary.json: 1 of 3 values differ. hidden8"),
        (change_roles, "roles.npy: 1 of 1 values differ"),
        (damage_saves, "checkpoints/group"),
        (lambda run: os.remove(run / "student.tflite"), "student.tflite is not there"),
        (lambda run: (run / "unfinished-x").touch(), "unfinished-x was left behind"),
        (lambda run: shutil.copy(real_student(run), run / "student.keras"), "student.keras: "),
    ],
)
def test_what_differs_is_named(real, tmp_path, change, where):
    copy = shutil.copytree(real.directory, tmp_path / "copy")
    change(copy)
    found, _ = equality.differences(real.directory, copy)
    assert found and all(where in sentence for sentence in found), found


def real_student(run):
    """The file of another network."""
    return run / "checkpoints" / "pivot.keras"


@pytest.fixture
def stand_in(real, monkeypatch):
    """Has a stand-in for train.py and for comparisons killed."""
    monkeypatch.setattr(runs, "COMMON", (STAND_IN, "train", str(real.directory)))
    monkeypatch.setattr(comparison, "FLAGS", (STAND_IN, "compare", str(real.directory)))


def test_all_parts(stand_in, tmp_path, capsys):
    kills = ("--kills=2", "--jobs=2", "--compare_kills=2", "--worker_kills=1")
    smoke.run(killed_run, *kills, f"--directory={tmp_path}/all")
    printed = capsys.readouterr().out
    assert printed.endswith("All that was killed continued, and ended equal to the bit.\n")
    for part, number in (("run", 2), ("compare", 2), ("workers", 1)):
        of_part = printed.partition(f"\n{part}: its files lie in")[2].partition("complaints.")[0]
        assert f"\n{number} kills; 0 " in of_part, of_part
        assert "values are equal" in of_part or "and the tables, are equal" in of_part
    assert not children.running(tmp_path), "no process outlives it"


def test_what_ends_otherwise_is_said(stand_in, tmp_path, capsys):
    flags = ("--part=run", "--kills=1", f"--directory={tmp_path}/run")
    with pytest.raises(SystemExit, match="1 things were not as they should be; .*/run/ is left"):
        smoke.run(killed_run, *flags, "--", "--otherwise")
    assert "history.csv: 1 of 1 values differ" in capsys.readouterr().out


def test_what_does_not_continue_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "COMMON", ("-c", "import sys; sys.exit('no such thing')"))
    with pytest.raises(SystemExit, match="(?s)A run ended with status 1.*no such thing.*are left"):
        smoke.run(killed_run, "--part=run", "--kills=1", f"--directory={tmp_path}/run")


def test_a_directory_with_files_is_refused(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(SystemExit, match="is not empty"):
        smoke.run(killed_run, f"--directory={tmp_path}")
