"""Comparisons: which runs they make."""

import os
from pathlib import Path

import pytest
from helpers.comparisons import settings

from orc_keras.compare import plan


def test_the_runs_of_a_comparison(tmp_path):
    """Every name with every seed; the pivot is trained once for a seed, unless a recipe differs."""
    variants = [
        "beta 0.9: --distillation_weight=0.9 --pivot_learning_rate=0.5 --save_every='2 epochs'",
        "slow: --method=kd --learning_rate=0.001",
        "short: --epochs=48",
        "short pivot: --pivot_epochs=48",
    ]
    runs = plan.plan(settings(), ["orc", "dml"], variants, [3, 5], tmp_path)
    names = ["kd", "alone", "orc", "dml", "beta 0.9", "slow", "short", "short pivot"]
    expected = [(name, seed) for seed in (3, 5) for name in names]
    assert [(run.name, run.settings.seed) for run in runs] == expected
    by_name = {run.name: run for run in runs if run.settings.seed == 5}
    pivot = tmp_path / "kd" / "seed5" / "checkpoints" / "pivot.keras"
    waits = {name: run.pivot for name, run in by_name.items()}
    alone = dict.fromkeys(("kd", "alone", "dml", "slow", "short pivot"))
    assert waits == {"orc": pivot, "beta 0.9": pivot, "short": pivot} | alone
    assert by_name["beta 0.9"].settings == settings(
        distillation_weight=0.9,
        pivot_learning_rate=0.5,
        save_every="2 epochs",
        seed=5,
        output_dir=f"{tmp_path}/beta_0.9/seed5",
        pivot_weights=str(pivot),
    )
    assert by_name["slow"].settings.learning_rate == 0.001
    assert by_name["slow"].settings.method == "kd"


def test_an_untrained_pivot_learns_at_the_full_rate(tmp_path):
    plan.plan(settings(pivot_epochs=0), ["kd"], [], [0], tmp_path)
    with pytest.raises(ValueError, match="^orc: --pivot_epochs=0 leaves the pivot untrained"):
        plan.plan(settings(pivot_epochs=0), ["orc"], [], [0], tmp_path)


def test_pivot_weights_serve_all_methods_that_train_the_pivot_first(tmp_path):
    mine = str(tmp_path / "mine.keras")
    with pytest.raises(ValueError, match="--pivot_weights=.*mine.keras is not a file"):
        plan.plan(settings(pivot_weights=mine), [], [], [0], tmp_path / "runs")
    Path(mine).touch()
    runs = plan.plan(settings(pivot_weights=mine), ["orc", "dml"], [], [0], tmp_path / "runs")
    weights = {run.name: run.settings.pivot_weights for run in runs}
    assert weights == {"kd": mine, "alone": "", "orc": mine, "dml": ""}
    assert all(run.pivot is None for run in runs)


def test_a_comparison_needs_a_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match="file is not a directory"):
            plan.plan(settings(), [], [], [0], path)


def link_out(path):
    path.symlink_to(path.parents[2] / "mine")


@pytest.mark.parametrize(
    "name, make, has_begun, message",
    [
        ("results.md", Path.touch, False, "holds files that are not of a comparison"),
        ("kd/notes", Path.touch, False, "holds files that are not of a comparison"),
        ("results.md", Path.mkdir, True, "results.md is not a file; move it away"),
        ("kd/seed0.log", os.mkfifo, True, "seed0.log is neither a file nor a folder"),
        ("kd/seed0.log", Path.mkdir, True, "seed0.log is not a file; move it away"),
        ("kd/seed0.log", link_out, True, "seed0.log leads out of the run by a link; delete"),
        (
            "kd",
            lambda path: path.symlink_to("../elsewhere"),
            False,
            "kd/seed0.flags leads out of the run by",
        ),
        ("size.png", Path.mkdir, True, "size.png is not a file; move it away"),
        (
            "size.png",
            lambda path: path.symlink_to("../mine"),
            True,
            "size.png leads out of the run by a link",
        ),
    ],
)
def test_a_comparison_overwrites_nothing(tmp_path, name, make, has_begun, message):
    directory = tmp_path / "runs"
    (directory / "kd").mkdir(parents=True)  # all that a killed comparison may have left
    (tmp_path / "mine").touch()
    (tmp_path / "elsewhere").mkdir()
    plan.plan(settings(), [], [], [0], directory)
    if has_begun:
        (directory / "kd" / ".orc-keras-unfinished-seed0.flags").touch()
        plan.plan(settings(), [], [], [0], directory)
    if (directory / name).is_dir():
        (directory / name).rmdir()
    make(directory / name)
    with pytest.raises(ValueError, match=message):
        plan.plan(settings(), [], [], [0], directory)


def test_a_comparison_is_the_same_from_everywhere(tmp_path, monkeypatch):
    runs = plan.plan(settings(), ["orc"], [], [0], tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    assert plan.plan(settings(), ["orc"], [], [0], "runs") == runs


NAMES_OR_SEEDS = [
    (["fitnets"], [], [0], "fitnets: .*should be one of <orc"),
    ([], [], [], "--seeds must be different whole numbers"),
    ([], [], [1, 1], "--seeds must be different whole numbers from 0 on, not \\[1, 1\\]"),
    ([], [], [-1], "--seeds must be different whole numbers from 0 on, not \\[-1\\]"),
]
VARIANTS = [
    ("--distillation_warmup=3", "--variant must be like .* not '--distillation_warmup=3'"),
    ("a/b: --distillation_warmup=3", "has no '/' or '[|]' .* not 'a/b: --distillation_warmup"),
    ("b_1: --max_checkpoints=2", "--variant names b_1 twice"),
    ("c: --save_every='2 epochs", "has wrong quotation marks: No closing quotation"),
    ("\N{CJK RADICAL SUN}" * 67 + ": --max_checkpoints=2", "at most 200 bytes"),
    ("results.md: --max_checkpoints=2", "--variant names results.md; the comparison's own files"),
    ("w: --fixed_teacher=me", "w: fixed_teacher must be one of re"),
    ("w: --students=resnet8", "w: .*two students"),
    ("w: --pivot=resnet21", "w: --pivot: .*resnet20"),
    ("w: --warmth=3", "w: Unknown command line flag 'warmth'.*\\.$"),
    ("w: warmup", "w: 'warmup' is not a flag"),
    ("w: --batch_size=9999", "w: --batch_size=9999 is more than the 1437 training"),
    ("w: --output_dir=x", "w: --output_dir cannot be varied"),
    ("w: --seed=3", "w: --seed cannot be varied"),
    ("w: --overwrite", "w: --overwrite cannot be varied"),
]


@pytest.mark.parametrize(
    "methods, variants, seeds, message",
    NAMES_OR_SEEDS
    + [([], ["b 1: --max_checkpoints=1", variant], [0], message) for variant, message in VARIANTS],
)
def test_impossible_comparisons(methods, variants, seeds, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        plan.plan(settings(), methods, variants, seeds, tmp_path)
