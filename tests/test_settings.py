import dataclasses
from pathlib import Path

import hypothesis
import pytest
from absl import flags
from helpers.flags import NEEDED, parse
from helpers.programs import ROOT
from hypothesis import strategies as st

from orc_keras import recipe
from orc_keras.arguments import WholeOrFraction, arguments_of
from orc_keras.settings import ARGUMENTS, FUNCTIONS, Settings, from_text


def test_the_defaults_are_the_recipe():
    given = parse(*NEEDED)
    assert (given.epochs, given.batch_size, given.learning_rate) == (240, 64, 0.05)
    decays = recipe.whole_epochs(given.decay_epochs, given.epochs)
    assert (decays, given.decay_factor) == ((150, 180, 210), 0.1)
    assert (given.momentum, given.weight_decay) == (0.9, 5e-4)
    assert (given.temperature, given.distillation_weight, given.mixup_alpha) == (4, 0.5, 1)
    assert (given.num_temporary_teachers, given.role_change_interval) == (1, 1)


def test_lists_and_booleans():
    given = parse(*NEEDED, "--decay_epochs=3,5", "--deterministic")
    assert given.students == ("resnet8", "resnet8")
    assert given.decay_epochs == (3, 5) and "--decay_epochs=3,5\n" in given.as_flags()
    assert given.deterministic is True
    assert parse(*NEEDED, "--decay_epochs=").decay_epochs == ()


def test_the_home_directory():
    """No shell expands a ~ that stands behind --flag=."""
    given = parse(
        *NEEDED, "--output_dir=~/run", "--data_dir=~/data", "--pivot_weights=~/pivot.keras"
    )
    home = Path.home()
    paths = (given.output_dir, given.data_dir, given.pivot_weights)
    assert paths == (f"{home}/run", f"{home}/data", f"{home}/pivot.keras")


def test_later_flags_win(tmp_path):
    (tmp_path / "some.flags").write_text("--epochs=7\n--batch_size=16\n")
    given = parse(*NEEDED, f"--flagfile={tmp_path}/some.flags", "--epochs=9")
    assert (given.epochs, given.batch_size) == (9, 16)


def values_of(argument):
    """Any value that an argument can have."""
    if argument.name == "save_every":
        return st.builds(
            "{} {}".format, st.integers(1, 10**6), st.sampled_from(("steps", "epochs"))
        )
    if argument.name in ("warmup_epochs", "student_learning_rates"):
        return st.just(argument.default)  # others depend on other arguments
    if argument.item:
        return st.lists(values_of(argument.item), min_size=1, max_size=4, unique=True).map(tuple)
    if argument.choices:
        return st.sampled_from(argument.choices)
    if argument.type in (bool, str):
        letters = st.characters(
            codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=","
        )
        return st.booleans() if argument.type is bool else st.text(letters, min_size=1)
    range_ = argument.range
    if isinstance(range_, WholeOrFraction):
        return st.one_of(st.integers(1, 10**9), st.floats(1e-30, 1, exclude_max=True))
    lower, upper = max(range_.at_least, range_.above), min(range_.at_most, range_.below)
    if argument.type is int:
        return st.integers(int(lower), int(min(upper, 10**9)))
    return st.floats(max(lower, 1e-30), min(upper, 1e30))


@hypothesis.given(
    st.builds(Settings, **{name: values_of(each) for name, each in ARGUMENTS.items()})
)
def test_settings_survive_a_flagfile(tmp_path_factory, given):
    """All but where a run writes, read from a file, and as text."""
    given = dataclasses.replace(given, output_dir="", overwrite=False)
    path = tmp_path_factory.getbasetemp() / "some.flags"
    path.write_text(given.as_flags(), encoding="utf-8")
    assert parse(f"--flagfile={path}") == given == from_text(given.as_flags())


def test_some_of_the_teachings():
    assert parse(*NEEDED).teachings == ("intensive", "private", "group")
    assert parse(*NEEDED, "--teachings=group,private").teachings == ("group", "private")
    assert parse(*NEEDED, "--teachings=").teachings == ()


@pytest.mark.parametrize(
    "text, every",
    [("1 epoch", (1, "epochs")), ("20epochs", (20, "epochs")), ("500  steps", (500, "steps"))],
)
def test_how_often_to_save(text, every):
    assert parse(*NEEDED, f"--save_every={text}").save_interval() == every


def test_what_does_not_change_the_result_is_no_part_of_a_run():
    given = parse(*NEEDED).identity()
    assert (
        given
        == parse(*NEEDED, "--save_every=3 steps", "--max_checkpoints=5", "--memory_gb=1").identity()
    )
    assert given != parse(*NEEDED, "--seed=1").identity()


def test_with_patience_it_counts_which_epochs_are_evaluated():
    often, seldom = ([*NEEDED, f"--evaluate_every={every}"] for every in (1, 5))
    assert parse(*often).identity() == parse(*seldom).identity()
    stopping = [parse(*flags, "--patience=3").identity() for flags in (often, seldom)]
    assert stopping[0] != stopping[1]


@pytest.mark.parametrize("name", ["alone", "anchor", "kd", "orc"])
def test_the_identity_of_recorded_runs(name):
    """Its settings are the flags that are not the default; `decay_epochs` as it was written."""
    text = (ROOT / "docs" / "results" / name / "settings.flags").read_text()
    identity = from_text(text).identity()
    decays = {"anchor": "6,8,9"}.get(name, "31,37,44")
    assert identity["decay_epochs"] == decays and f"--decay_epochs={decays}\n" in text
    assert identity["dataset"].startswith("idx:")


@pytest.mark.parametrize(
    "flag, unused",
    [
        ("--mixup_alpha=0", ["mixup_alpha"]),
        ("--pivot_learning_rate=1", ["pivot_learning_rate"]),
        ("--temperature=2", []),
        ("--seed=5", []),
        ("--pivot_epochs=3", []),
        ("--teacher_aggregation=ensemble", ["teacher_aggregation"]),
    ],
)
def test_what_the_method_does_not_use_makes_no_other_run(flag, unused):
    given = parse(*NEEDED, "--method=kd", flag)
    assert given.unused() == unused
    assert (given.identity() == parse(*NEEDED, "--method=kd").identity()) == bool(unused)
    assert parse(*NEEDED, flag).unused() == []
    assert parse(*NEEDED, "--method=dml", "--pivot_epochs=3").unused() == ["pivot_epochs"]


def test_where_a_run_writes_is_not_a_setting_of_it():
    here = parse(*NEEDED, "--output_dir=here")
    assert here.as_flags() == parse(*NEEDED, "--overwrite").as_flags()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "--dataset is missing: .*digits, cifar10"),
        (NEEDED[:1], "--pivot is missing"),
        (NEEDED[:2], "--students is missing: .*at least two"),
        ([*NEEDED, "--decay_epochs=10,x"], "--decay_epochs must be numbers, not '10,x'"),
        *(
            ([*NEEDED, f"--decay_epochs={text}"], "must be a list .* or a fraction of 1")
            for text in ("-5", "0", "1.5")
        ),
        ([*NEEDED, "--save_every=often"], "--save_every must be like '500 steps' .*, not 'often'"),
        ([*NEEDED, "--save_every=0 steps"], "--save_every must be like .*, not '0 steps'"),
        (
            [*NEEDED, "--augmentation=mixup"],
            "--augmentation must be a list of different ones of randaugment, cutout, not .'mixup'",
        ),
        (
            [*NEEDED, "--teachings=all"],
            "--teachings must be a list of .* not .'all'",
        ),
        (
            [*NEEDED, "--teachings=group,group"],
            "--teachings must be a list of different .*'group', 'group'",
        ),
        (
            [*NEEDED[:2], "--students=a,,b"],
            "--students must be a list of entries, none empty, each a",
        ),
        ([*NEEDED, "--student_learning_rates=x"], "must be numbers, not 'x'"),
        ([*NEEDED, "--student_learning_rates=1"], "must be 2 numbers, one for each student"),
        ([*NEEDED, "--student_learning_rates=1,0.5"], "the last of them 1"),
        (
            [*NEEDED, "--student_learning_rates=-1,1"],
            "must be a list .* each 0 to 1000000",
        ),
        ([*NEEDED, "--decay_epochs=1,"], "--decay_epochs must be numbers, not '1,'"),
        ([*NEEDED, "--data_dir=a\tb"], r"--data_dir must be a printable text .*, not 'a\\tb'"),
        ([*NEEDED, "--temperature=1e-50"], "--temperature must be a number that float32 can hold"),
        ([*NEEDED, "--momentum=nan"], "--momentum must be 0 to 1, not nan"),
        ([*NEEDED, "--weight_decay=inf"], "--weight_decay must be 0 or more, not inf"),
        (
            [*NEEDED, "--learning_rate=0"],
            "--learning_rate must be above 0 and at most 1000000, not 0",
        ),
    ],
)
def test_bad_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        parse(*arguments)


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--epochs=0", "--epochs must be a whole number, 1 or more, not 0"),
        ("--batch_size=many", "flag --batch_size=many"),
        ("--batch_size=1000001", "--batch_size must be a whole number, 1 to 1000000, not 1000001"),
        ("--students=" + ",".join(["resnet8"] * 256), "--students must be at most 255"),
        ("--distillation_weight=1.5", "--distillation_weight must be 0 to 1"),
        ("--weight_decay=-1", "--weight_decay must be 0 or more, not -1"),
        ("--num_temporary_teachers=0", "--num_temporary_teachers must be a whole number, 1"),
        ("--strategy=tpu", "flag --strategy=tpu: .*auto|one_device|mirrored"),
        ("--epoch=3", "Unknown command line flag 'epoch'. Did you mean: epochs"),
    ],
)
def test_flags_out_of_range(argument, message):
    with pytest.raises((flags.Error, ValueError), match=message):
        parse(*NEEDED, argument)


def test_an_argument_is_the_same_wherever_it_is_stated():
    for function in FUNCTIONS:
        for name, argument in arguments_of(function).items():
            same = ARGUMENTS[name]
            assert argument.help and argument.annotation == same.annotation, (function, name)
            assert argument.default == same.default, (function, name)
