"""Comparisons: their runs are trained in order, several at once, and stop together."""

import os
import signal
import subprocess
import threading

import pytest
from helpers.comparisons import settings
from helpers.programs import ROOT
from helpers.summaries import SUMMARY

from orc_keras import checksums
from orc_keras.compare import plan, running
from orc_keras.compare.results import Results, member_results

METHODS = ("alone", "kd", "takd", "dml", "orc")

# In place of train.py: writes what a run leaves, fails where it is told to, and may go on for ever.
PROGRAM = """
import hashlib, json, signal, sys
from pathlib import Path
flagfile = Path(sys.argv[1].removeprefix("--flagfile="))
flags = dict(line[2:].split("=", 1) for line in flagfile.read_text().splitlines())
with open(flagfile.parents[2] / "order", "a") as order:
    print(flags["method"], flags["seed"], file=order)
if flags["method"] == "dml":
    sys.exit("dml: not today")
pivot = flags["pivot_weights"]
assert not pivot or Path(pivot).exists()
if float(flags["learning_rate"]) > 1:
    signal.pause()
run = Path(flags["output_dir"])
(run / "checkpoints").mkdir(parents=True)
(run / "checkpoints" / "pivot.keras").touch()
text = flagfile.read_text()
lines = [line + "\\n" for line in text.splitlines() if not line.startswith("--output_dir")]
written = {"settings.flags": "".join(lines), "summary.json": json.dumps(SUMMARY)}
sums = (f"{hashlib.sha256(t.encode()).hexdigest()}  {n}\\n" for n, t in written.items())
(run / "SHA256SUMS").write_text("".join(sums))
for name, contents in written.items():
    (run / name).write_text(contents)
with open(flagfile.parents[2] / "order", "a") as order:
    print(flags["method"], flags["seed"], file=order)
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "program.py"
    path.write_text(f"SUMMARY = {SUMMARY!r}\n{PROGRAM}")
    monkeypatch.setattr(running, "TRAIN", (path,))


@pytest.mark.slow
def test_the_order_of_runs(program, tmp_path, capsys):
    """At most so many at once; none before its pivot exists; a failure stops no other."""
    runs = plan.plan(settings(), METHODS, [], [0, 1], tmp_path / "runs")
    failed = running.train(runs, num_jobs=2)
    assert [(run.name, run.settings.seed) for run in failed] == [("dml", 0), ("dml", 1)]
    lines = [line.split() for line in (tmp_path / "order").read_text().splitlines()]
    now = set()
    for method, seed in lines:
        now ^= {(method, seed)} if method != "dml" else set()
        assert len(now) <= 2
    assert len(lines) == 2 * 8 + 2
    printed = capsys.readouterr().out
    assert "dml, seed 1: failed. dml: not today" in printed
    assert "[10/10]" in printed and "orc, seed 0: 50.00%" in printed
    *earlier, last = [line for line in printed.splitlines() if line.endswith(" left")]
    assert len(earlier) > 3 and "[10/10]" not in last


@pytest.mark.slow
def test_what_has_finished_is_not_made_again(program, tmp_path, capsys):
    first = plan.plan(settings(), ["orc"], [], [0], tmp_path / "runs")
    assert running.train(first, num_jobs=2) == []
    more = plan.plan(settings(), ["takd", "orc"], [], [0, 1], tmp_path / "runs")
    assert running.train(more, num_jobs=2) == []
    printed = capsys.readouterr().out
    assert "8 runs, 2 at once: kd; alone; takd; orc. 3 have finished before." in printed
    assert printed.count("orc, seed 0") == 1


@pytest.mark.parametrize(
    ("durations", "ages", "num_waiting", "left"),
    [
        ([60, 120], [30], 5, ", about 4:15 left"),  # (5 * 90 + 60) / 2 seconds
        ([60], [100], 0, ", about 0:00 left"),  # it takes longer than the others
        ([60], [], 1, ", about 1:00 left"),
        ([60], [], 0, ""),
        ([], [10], 3, ""),  # none has finished yet
    ],
)
def test_the_time_left(durations, ages, num_waiting, left, monkeypatch):
    monkeypatch.setattr(running.time, "monotonic", lambda: 1000.0)
    jobs = [running.Job(None, 0, None, 1000.0 - age) for age in ages]
    assert running._time_left(durations, jobs, num_waiting, num_jobs=2) == left


def test_whoever_waits_for_a_pivot_that_failed_has_failed(program, tmp_path):
    runs = plan.plan(settings(learning_rate=0.01), ["orc"], [], [0], tmp_path / "runs")
    kd, alone, orc = runs
    (tmp_path / "runs" / "kd" / "seed0" / "checkpoints").mkdir(
        parents=True
    )  # so that the program fails
    assert running.train([kd, alone, orc], num_jobs=1) == [kd, orc]


def test_the_reason_of_a_failure_in_a_shared_log(tmp_path):
    """Another comparison's process writes to it too, and so did earlier ones."""
    run = plan.plan(settings(), [], [], [0], tmp_path / "runs")[0]
    run.directory.path.parent.mkdir(parents=True)
    log = running._log(run)
    before = "orc-keras train: stopped by SIGTERM.\n"
    log.write_text(f"{before}orc-keras train: it is in use.\nCompiling the step.\n")
    failed = subprocess.CompletedProcess([], 1)
    job = running.Job(run, 0, failed, 0.0, len(before))
    assert running._outcome(job) == f"kd, seed 0: failed. orc-keras train: it is in use.\n  ({log})"
    log.write_text(f"{before}ValueError: a fault\n")
    assert running._outcome(job) == f"kd, seed 0: failed. ValueError: a fault\n  ({log})"


def test_a_run_that_another_process_makes_is_waited_for(program, tmp_path, monkeypatch):
    """Such as one whose comparison was killed: it goes on, and holds its directory."""
    runs = plan.plan(settings(), [], [], [0], tmp_path / "runs")
    directory = runs[0].directory
    directory.lock(runs[0].settings)
    (directory / "checkpoints").rmdir()  # which the program makes
    waits = []
    monkeypatch.setattr(running.time, "sleep", lambda _: waits.append(directory.close()))
    assert running.train(runs, num_jobs=1) == [] and waits
    assert all(run.is_finished for run in runs)


def test_other_settings_where_there_are_runs(program, tmp_path):
    """A pivot of other settings would be used otherwise."""
    running.train(plan.plan(settings(), [], [], [0], tmp_path / "runs"), num_jobs=2)
    with pytest.raises(ValueError, match=r"kd/seed0 holds .* \(pivot_epochs\); choose"):
        plan.plan(settings(pivot_epochs=3), ["orc"], [], [0], tmp_path / "runs")
    with pytest.raises(ValueError, match="holds a run; choose one for the comparison"):
        plan.plan(settings(), [], [], [0], tmp_path / "runs" / "kd" / "seed0")


def test_a_finished_run_that_is_damaged_or_lacks_its_pivot_is_named_first(program, tmp_path):
    kd, _ = runs = plan.plan(settings(), [], [], [0], tmp_path / "runs")
    running.train(runs, num_jobs=2)
    pivot = kd.directory / "checkpoints" / "pivot.keras"
    with open(kd.directory / "SHA256SUMS", "a") as sums:
        sums.write(checksums.text({"checkpoints/pivot.keras": pivot}))
    pivot.write_text("another")
    with pytest.raises(ValueError, match="pivot.keras is damaged, or not of this run"):
        plan.plan(settings(), ["orc"], [], [0], tmp_path / "runs")
    pivot.unlink()
    assert len(plan.plan(settings(), [], [], [0], tmp_path / "runs")) == 2
    with pytest.raises(ValueError, match="pivot.keras is missing, from which orc begins; put it"):
        plan.plan(settings(), ["orc"], [], [0], tmp_path / "runs")
    (kd.directory / "summary.json").write_text("{")
    with pytest.raises(ValueError, match="summary.json is damaged"):
        plan.plan(settings(), [], [], [0], tmp_path / "runs")


def test_a_signal_stops_the_runs_too(program, tmp_path, monkeypatch):
    """No process of the comparison is left."""
    os.mkfifo(tmp_path / "order")  # which each run writes a line to as it begins

    def stop():
        with os.fdopen(os.open(tmp_path / "order", os.O_RDWR)) as order:
            assert order.readline() and order.readline()
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt) as stopped:
            running.train(
                plan.plan(settings(learning_rate=60.0), [], [], [0], tmp_path / "runs"), num_jobs=2
            )
    finally:
        thread.join()
    assert stopped.value.args == (signal.SIGTERM,)
    assert subprocess.run(["pgrep", "-f", str(*running.TRAIN)], capture_output=True).returncode == 1


@pytest.mark.slow
def test_real_runs_share_their_pivot(tmp_path, monkeypatch, tiny):
    """One begins as soon as the other has trained it; each evaluates the same pivot at its end."""
    helpers = ROOT / "tests" / "helpers"
    monkeypatch.setattr(running, "TRAIN", (helpers / "tiny_train.py",))
    monkeypatch.setenv("PYTHONPATH", str(helpers))
    monkeypatch.setattr(plan.validation, "check_dataset_size", lambda _: None)  # of other networks
    base = settings(
        dataset="digits",
        pivot="hidden16",
        students=("hidden12", "hidden8"),
        pivot_epochs=1,
        epochs=1,
        decay_epochs=(),
        batch_size=256,
    )
    runs = plan.plan(base, ["takd"], [], [4], tmp_path / "compare")
    runs = [run for run in runs if run.name != "alone"]
    assert running.train(runs, num_jobs=2) == []
    results = Results(member_results(runs))
    assert results.names == ["kd", "takd"]
    of_pivot = [results.accuracies(name, "hidden16") for name in results.names]
    of_student = [results.accuracies(name) for name in results.names]
    assert results.minutes("takd") > 0
    assert of_pivot[0] == of_pivot[1] and of_student[0] != of_student[1]
    assert not (runs[1].directory / "pivot_history.csv").exists()
