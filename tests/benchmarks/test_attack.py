"""A sample of the wrong inputs of `benchmarks/attack.py`, and whether it would see a fault."""

import operator
from functools import partial

import pytest
from helpers import smoke

import attack  # isort: skip  (which smoke makes importable)
from attacks import forking, outcome, pictures, runs  # isort: skip
from attacks.case import Case, step  # isort: skip


def test_a_sample_of_wrong_inputs():
    verdicts = attack.attack(attack.sample())
    assert len({verdict.case.kind for verdict in verdicts}) >= 8 and len(verdicts) >= 25
    failed = [attack.failure(verdict) for verdict in verdicts if verdict.problem]
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize(
    "snippet, problem",
    [
        ("pass", "accepted"),
        ("raise KeyError('a key')", "traceback"),
        ("raise ValueError('something else')", "unclear"),
        ("raise ValueError('culprit, and\\nanother line')", "unclear"),
        ("open('marker', 'w')", "code ran"),
        ("import os; os.remove('kept'); raise ValueError('culprit')", "lost"),
        ("import time; time.sleep(60)", "hang"),
        ("raise ValueError('the culprit')", ""),
    ],
)
def test_what_is_no_sentence_is_seen(snippet, problem):
    files = (step(pictures.write, "kept", b"here"),)
    case = Case("test", "a snippet", "library", (snippet,), ("culprit",), files, seconds=2)
    (verdict,) = attack.attack([case])
    assert verdict.problem == problem, verdict


def test_what_the_program_prints(capsys):
    """Of the first of the cases that it draws, which --only repeats."""
    (case,) = [case for case in attack.cases(seed=0, number=10) if case.number == 0]
    with pytest.raises(SystemExit) as end:
        smoke.run(attack, "--number=10", "--only=0")
    assert end.value.code == 0
    head, *rows, minutes = capsys.readouterr().out.strip().split("\n")
    assert head.split() == ["kind", "number", "passed", "failed", "slowest,", "s"]
    assert [row.split()[:4] for row in rows if row] == [
        [case.kind, *"110"],
        ["all", *"110"],
    ]
    assert minutes.endswith(" minutes.")


def test_no_case_is_drawn_where_there_is_none():
    with pytest.raises(SystemExit, match="no such case among .* of flags, "):
        smoke.run(attack, "--number=10", "--only=9999")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """What came of right commands that stop at each of the places, and their folders."""
    flags = ("--dataset=digits", "--method=alone", "--pivot=resnet8", "--students=resnet8")
    flags += ("--epochs=1", "--decay_epochs=1", "--save_every=5 steps", runs.OUTPUT)
    commands = dict.fromkeys(("prepare", "fit", "epoch", "killed"), ("train", flags))
    commands["compare"] = ("compare", runs.COMPARISON)
    work, calls = tmp_path_factory.mktemp("stopped"), []
    for name, (program, arguments) in commands.items():
        stop = "prepare" if program == "compare" else name
        case = Case("test", name, program, arguments, stop=stop, seconds=120)
        (work / name).mkdir()
        calls.append(partial(outcome.run, case, work / name, work / f"{name}.log"))
    return dict(zip(commands, forking.each(operator.call, calls))), work


@pytest.mark.parametrize(
    "stop, learns", [("prepare", False), ("fit", True), ("epoch", True), ("compare", False)]
)
def test_what_is_right_is_accepted_without_training(stopped, stop, learns):
    came, work = stopped[0][stop], stopped[1]
    assert came.code == 0 and came.out.rstrip().endswith("ACCEPTED"), came
    assert (" learns: " in came.out) == learns
    assert not list(work.glob(f"{stop}/**/history.csv*")) or stop == "epoch"
    assert not list(work.glob(f"{stop}/**/summary.json"))


def test_a_run_that_is_killed_has_saved(stopped):
    came, work = stopped[0]["killed"], stopped[1]
    assert came.code == 0 and "ACCEPTED" not in came.out, came
    names = [path.name for path in (work / "killed" / "run" / "checkpoints").iterdir()]
    assert sorted(names) == [runs.OLDER, runs.NEWEST]
