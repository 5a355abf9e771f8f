"""Comparisons: which runs they make, and in which order."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.programs import ROOT
from helpers.summaries import SUMMARY

from orc_keras.compare import plan, running
from orc_keras.compare.results import Results
from orc_keras.runs.directory import RunDirectory
from orc_keras.settings import Settings

METHODS = ("alone", "kd", "takd", "dml", "orc")

# In place of train.py: writes what a run leaves, fails where it is told to, and may take its time.
PROGRAM = """
import hashlib, json, sys, time
from pathlib import Path
flagfile = Path(sys.argv[1].removeprefix("--flagfile="))
flags = dict(line[2:].split("=", 1) for line in flagfile.read_text().splitlines())
with open(flagfile.parents[1] / "order", "a") as order:
    print(flags["method"], flags["seed"], time.time(), file=order)
if flags["method"] == "dml":
    sys.exit("dml: not today")
pivot = flags["pivot_weights"]
assert not pivot or Path(pivot).exists()
time.sleep(float(flags["learning_rate"]))
there = Path(flags["output_dir"])
(there / "checkpoints").mkdir(parents=True)
(there / "checkpoints" / "pivot.keras").touch()
text = flagfile.read_text()
(there / "settings.flags").write_text("".join(
    line + "\\n" for line in text.splitlines() if not line.startswith("--output_dir")
))
summary = json.dumps(SUMMARY)
digest = hashlib.sha256(summary.encode()).hexdigest()
(there / "SHA256SUMS").write_text(digest + "  summary.json\\n")
(there / "summary.json").write_text(summary)
with open(flagfile.parents[1] / "order", "a") as order:
    print(flags["method"], flags["seed"], time.time(), file=order)
"""


def settings(**changed):
    given = dict(
        dataset="digits", pivot="resnet20", students=("resnet14", "resnet8"), learning_rate=0.01
    )
    return Settings(**given | changed)


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "program.py"
    path.write_text(f"SUMMARY = {SUMMARY!r}\n{PROGRAM}")
    monkeypatch.setattr(running, "TRAIN", path)


def test_the_runs_of_a_comparison(tmp_path):
    """Everything with every seed; a pivot is trained once for a seed, by whom nobody waits for."""
    variants = ["beta 0.9: --distillation_weight=0.9", "slow: --method=kd --learning_rate=0.001"]
    runs = plan.plan(settings(), ["orc", "dml"], variants, [3, 5], tmp_path)
    names = ["kd", "alone", "orc", "dml", "beta 0.9", "slow"]
    assert [(run.variant, run.seed) for run in runs] == [(n, s) for s in (3, 5) for n in names]
    by_name = {run.variant: run for run in runs if run.seed == 5}
    pivot = tmp_path / "kd" / "seed5" / "checkpoints" / "pivot.keras"
    waits = {name: run.pivot for name, run in by_name.items()}
    alone = dict.fromkeys(("kd", "alone", "dml", "slow"))
    assert waits == {"orc": pivot, "beta 0.9": pivot} | alone
    assert by_name["beta 0.9"].settings == settings(
        distillation_weight=0.9,
        seed=5,
        output_dir=f"{tmp_path}/beta_0.9/seed5",
        pivot_weights=str(pivot),
    )
    assert by_name["slow"].settings.learning_rate == 0.001
    assert by_name["slow"].settings.method == "kd"


def test_a_given_pivot_is_that_of_all_who_need_one(tmp_path):
    mine = str(tmp_path / "mine.keras")
    with pytest.raises(ValueError, match="--pivot_weights=.*mine.keras is not a file"):
        plan.plan(settings(pivot_weights=mine), [], [], [0], tmp_path)
    Path(mine).touch()
    runs = plan.plan(settings(pivot_weights=mine), ["orc", "dml"], [], [0], tmp_path)
    given = {run.variant: run.settings.pivot_weights for run in runs}
    assert given == {"kd": mine, "alone": "", "orc": mine, "dml": ""}
    assert all(run.pivot is None for run in runs)


def test_a_run_that_another_process_makes_is_waited_for(program, tmp_path, monkeypatch):
    """Such as one whose comparison was killed: it goes on, and holds its directory."""
    runs = plan.plan(settings(), [], [], [0], tmp_path)
    directory = RunDirectory(runs[0].settings)
    directory.claim()
    (directory / "checkpoints").rmdir()  # which the program makes
    waits = []
    monkeypatch.setattr(running, "_wait", lambda _: waits.append(directory.close()))
    assert running.run_all(runs, jobs=1) == [] and waits
    assert all(RunDirectory(run.settings).is_finished() for run in runs)


def test_who_came_second_waits(program, tmp_path, monkeypatch):
    """A run that fails because another process has just begun to make it has not failed."""
    (run,) = (r for r in plan.plan(settings(), [], [], [0], tmp_path) if r.variant == "alone")
    in_use = iter([False, True])
    monkeypatch.setattr(RunDirectory, "is_in_use", lambda _: next(in_use, False))
    predictions = iter([1, 0])
    monkeypatch.setattr(
        running,
        "_ended",
        lambda processes, _: (processes.pop(next(iter(processes))), next(predictions), 0.0),
    )
    monkeypatch.setattr(running, "_outcome", lambda *_: "")
    assert running.run_all([run], jobs=1) == [] and next(predictions, None) is None


def test_a_comparison_needs_a_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match="file is not a directory"):
            plan.plan(settings(), [], [], [0], path)


def test_other_settings_where_there_are_runs(program, tmp_path):
    """A pivot of other settings would be used otherwise."""
    running.run_all(plan.plan(settings(), [], [], [0], tmp_path), jobs=2)
    with pytest.raises(ValueError, match=r"kd/seed0 holds .* \(pivot_epochs\); choose"):
        plan.plan(settings(pivot_epochs=3), ["orc"], [], [0], tmp_path)
    with pytest.raises(ValueError, match="holds a run; choose one for the comparison"):
        plan.plan(settings(), [], [], [0], tmp_path / "kd" / "seed0")


def test_a_comparison_is_the_same_from_everywhere(tmp_path, monkeypatch):
    runs = plan.plan(settings(), ["orc"], [], [0], tmp_path / "there")
    monkeypatch.chdir(tmp_path)
    assert plan.plan(settings(), ["orc"], [], [0], "there") == runs


@pytest.mark.parametrize(
    "methods, variants, seeds, message",
    [
        (["fitnets"], [], [0], "--methods=fitnets is unknown; possible are orc, alone, kd, dml"),
        ([], [], [], "--seeds must be different whole numbers"),
        ([], [], [1, 1], "--seeds must be different whole numbers from 0 on, not \\[1, 1\\]"),
        ([], [], [-1], "--seeds must be different whole numbers from 0 on, not \\[-1\\]"),
        (
            [],
            ["--distillation_warmup=3"],
            [0],
            "--variant must be like '<name>: --flag=value', .* not '--distillation_warmup=3'",
        ),
        ([], ["a/b: --distillation_warmup=3"], [0], "has no '/', not 'a/b: --distillation_warmup"),
        ([], ["w: "], [0], "--variant must be like '<name>: --flag=value'"),
        ([], ["w: --fixed_teacher=me"], [0], "w: fixed_teacher must be one of re"),
        (
            [],
            ["w: --num_temporary_teachers=2"],
            [0],
            "w: num_temporary_teachers must be at least 1 and below",
        ),
        ([], ["w: --students=resnet8"], [0], "w: .*two students"),
        ([], ["w: --pivot=resnet21"], [0], "w: --pivot: .*resnet20"),
        ([], ["kd: --distillation_warmup=3"], [0], "--variant: kd is there twice"),
        (
            [],
            ["w: --distillation_warmup=some"],
            [0],
            "--variant=w: flag --distillation_warmup=some",
        ),
        ([], ["w: --warmth=3"], [0], "--variant=w: Unknown command line flag 'warmth'.*\\.$"),
        ([], ["w: warmup"], [0], "--variant=w: 'warmup' is not a flag"),
        ([], ["w: --teachings=all"], [0], "--variant=w: --teachings=all is unknown"),
        ([], ["b 1: --keep=1", "b_1: --keep=2"], [0], "--variant: b_1 is there twice"),
        ([], ["..: --keep=1"], [0], "--variant must be like"),
        ([], ["w: --image_size=20000"], [0], "w: --batch_size=64 and --image_size=20000: resnet"),
        ([], ["w: --output_dir=x"], [0], "--variant=w: --output_dir cannot be varied"),
        ([], ["w: --pivot=vgg13"], [0], "w: --pivot: Images of 8 x 8 pixels are too small for vgg"),
        (
            [],
            ["w: --batch_size=9999"],
            [0],
            "w: --batch_size=9999 is more than the 1437 training images",
        ),
        ([], ["w: --dataset=folder:/no"], [0], "w: --dataset=folder:/no is not a folder"),
        ([], ["w: --validation_fraction=0.001"], [0], "w: --validation_fraction=.* is impossible"),
        (["orc", ""], [], [0], "--methods=orc, has an empty entry; leave out the comma"),
        ([], ["w: --seed=3"], [0], "--variant=w: --seed cannot be varied"),
        ([], ["w: --overwrite"], [0], "--variant=w: --overwrite cannot be varied"),
    ],
)
def test_bad_comparisons(methods, variants, seeds, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        plan.plan(settings(), methods, variants, seeds, tmp_path)


def test_the_order_of_runs(program, tmp_path, capsys):
    """At most so many at once; nobody before its pivot is there; a failure stops nobody else."""
    runs = plan.plan(settings(), METHODS, [], [0, 1], tmp_path)
    failed = running.run_all(runs, jobs=2)
    assert [(run.variant, run.seed) for run in failed] == [("dml", 0), ("dml", 1)]
    lines = [line.split() for line in (tmp_path / "order").read_text().splitlines()]
    now = set()
    for method, seed, _ in lines:
        now ^= {(method, seed)} if method != "dml" else set()
        assert len(now) <= 2
    assert len(lines) == 2 * 8 + 2
    printed = capsys.readouterr().out
    assert "dml, seed 1: failed. dml: not today" in printed
    assert "[10/10]" in printed and "orc, seed 0: 50.00%" in printed


def test_what_has_finished_is_not_made_again(program, tmp_path, capsys):
    first = plan.plan(settings(), ["orc"], [], [0], tmp_path)
    assert running.run_all(first, jobs=2) == []
    more = plan.plan(settings(), ["takd", "orc"], [], [0, 1], tmp_path)
    assert running.run_all(more, jobs=2) == []
    printed = capsys.readouterr().out
    assert "8 runs, 2 at once: kd, alone, takd, orc. 3 have been made before." in printed
    assert printed.count("orc, seed 0") == 1


def test_whoever_waits_for_a_pivot_that_failed_has_failed(program, tmp_path):
    runs = plan.plan(settings(learning_rate=0.01), ["orc"], [], [0], tmp_path)
    kd, alone, orc = runs
    (tmp_path / "kd" / "seed0" / "checkpoints").mkdir(parents=True)  # so that the program fails
    assert running.run_all([kd, alone, orc], jobs=1) == [kd, orc]


CONTROL = """
import sys
from pathlib import Path
from orc_keras.compare import plan, running
from orc_keras.settings import Settings
running.TRAIN = Path(sys.argv[1])
settings = Settings(
    dataset="digits", pivot="resnet20", students=("resnet14", "resnet8"), learning_rate=60.0
)
runs = plan.plan(settings, ["orc"], [], [0], sys.argv[2])
try:
    running.run_all(runs, jobs=2)
except KeyboardInterrupt as stop:
    sys.exit(100 + stop.args[0])
"""


def test_a_signal_stops_the_runs_too(program, tmp_path):
    """No process of the comparison is left."""
    control = subprocess.Popen(
        ["nohup", sys.executable, "-c", CONTROL, running.TRAIN, tmp_path], cwd=ROOT
    )
    order = tmp_path / "order"
    for _ in range(1200):
        if order.exists() and order.read_text().count("\n") == 2:
            break
        time.sleep(0.1)
    control.send_signal(signal.SIGHUP)  # which nohup has it ignore
    time.sleep(1)
    assert control.poll() is None
    control.send_signal(signal.SIGTERM)
    assert control.wait(20) == 100 + signal.SIGTERM
    assert subprocess.run(["pgrep", "-f", str(running.TRAIN)], capture_output=True).returncode == 1


def test_real_runs_share_their_pivot(tmp_path, monkeypatch, tiny):
    """One begins as soon as the other has trained it; each evaluates the same pivot at its end."""
    monkeypatch.setattr(running, "TRAIN", ROOT / "tests" / "helpers" / "tiny_train.py")
    monkeypatch.setattr(plan.preconditions, "check_outlook", lambda _: None)  # of other networks
    base = settings(
        dataset="digits",
        pivot="hidden16",
        students=("hidden12", "hidden8"),
        pivot_epochs=1,
        epochs=1,
    )
    runs = [run for run in plan.plan(base, ["takd"], [], [4], tmp_path) if run.variant != "alone"]
    assert running.run_all(runs, jobs=2) == []
    results = Results(runs)
    assert results.names == ["kd", "takd"]
    of_pivot = [results.accuracies(name, "hidden16") for name in results.names]
    of_student = [results.accuracies(name) for name in results.names]
    assert results.speed("takd", "kd") > 0  # NaN if the runs had not recorded it
    assert of_pivot[0] == of_pivot[1] and of_student[0] != of_student[1]
    assert not (runs[1].directory / "pivot_history.csv").exists()
