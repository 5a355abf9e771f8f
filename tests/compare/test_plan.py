"""Comparisons: which runs they make."""

from pathlib import Path

import pytest
from helpers.comparisons import settings

from orc_keras.compare import plan


def test_the_runs_of_a_comparison(tmp_path):
    """Everything with every seed; a pivot is trained once for a seed, by whom nobody waits for."""
    variants = ["beta 0.9: --distillation_weight=0.9", "slow: --method=kd --learning_rate=0.001"]
    runs = plan.plan(settings(), ["orc", "dml"], variants, [3, 5], tmp_path)
    names = ["kd", "alone", "orc", "dml", "beta 0.9", "slow"]
    assert [(run.name, run.settings.seed) for run in runs] == [
        (n, s) for s in (3, 5) for n in names
    ]
    by_name = {run.name: run for run in runs if run.settings.seed == 5}
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
    given = {run.name: run.settings.pivot_weights for run in runs}
    assert given == {"kd": mine, "alone": "", "orc": mine, "dml": ""}
    assert all(run.pivot is None for run in runs)


def test_a_comparison_needs_a_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match="file is not a directory"):
            plan.plan(settings(), [], [], [0], path)


def test_a_comparison_is_the_same_from_everywhere(tmp_path, monkeypatch):
    runs = plan.plan(settings(), ["orc"], [], [0], tmp_path / "there")
    monkeypatch.chdir(tmp_path)
    assert plan.plan(settings(), ["orc"], [], [0], "there") == runs


@pytest.mark.parametrize(
    "methods, variants, seeds, message",
    [
        (["fitnets"], [], [0], "--methods=fitnets is unknown; possible are orc, alone, kd, takd"),
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
        ([], ["kd: --distillation_warmup=3"], [0], "--variant names kd twice"),
        (
            [],
            ["w: --distillation_warmup=some"],
            [0],
            "--variant=w: flag --distillation_warmup=some",
        ),
        ([], ["w: --warmth=3"], [0], "--variant=w: Unknown command line flag 'warmth'.*\\.$"),
        ([], ["w: warmup"], [0], "--variant=w: 'warmup' is not a flag"),
        ([], ["w: --teachings=all"], [0], "--variant=w: --teachings must be a list of"),
        (
            [],
            ["b 1: --max_checkpoints=1", "b_1: --max_checkpoints=2"],
            [0],
            "--variant names b_1 twice",
        ),
        ([], ["..: --max_checkpoints=1"], [0], "--variant must be like"),
        ([], ["w: --output_dir=x"], [0], "--variant=w: --output_dir cannot be varied"),
        ([], ["w: --pivot=vgg13"], [0], "w: --pivot: Images of 8 x 8 pixels are too small for vgg"),
        (
            [],
            ["w: --batch_size=9999"],
            [0],
            "w: --batch_size=9999 is more than the 1437 training",
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
