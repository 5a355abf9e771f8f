"""The programs that measure print what they say they do; how long anything takes is not tested."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import smoke
from helpers.networks import hidden_group_members

import input_pipeline  # isort: skip  (which smoke makes importable)
import method_cost  # isort: skip
import scaling  # isort: skip
import step_cost  # isort: skip
import watching  # isort: skip
from orc_keras import models
from orc_keras.groups import METHODS


@pytest.mark.slow
def test_step_cost(tiny, capsys):
    smoke.run(step_cost, *smoke.TINY, "--turns=2", "--steps_per_execution=2")
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    times = {name: [float(ms) for ms in rows[name]] for name in ("hidden16", "hidden12", "hidden8")}
    assert all(len(each) == 3 and min(each) > 0 for each in times.values())
    alone, stock = (sum(each[column] for each in times.values()) for column in (0, 1))
    group = smoke.number_behind(printed, "the group  ")
    for words, sum_of in (("group / sum", alone), ("group / stock sum", stock)):
        low, high = (group - 0.05) / (sum_of + 0.25), (group + 0.05) / (sum_of - 0.25)
        assert low < smoke.number_behind(printed, words) < high  # all of them are rounded
    for words in ("images per second", "peak memory, GB"):
        assert smoke.number_behind(printed, words) > 0
    assert "taught: hidden12 " in printed and "seconds to trace" in printed


def test_the_floor_by_operations_of_a_step(group):
    """Two passes more: the pivot's, and that of whoever taught."""
    costs = {"pivot": 10.0, "large": 4.0, "middle": 2.0, "small": 1.0}
    assert step_cost.teachers_passes(group, [0.5, 0.5, 0.0], costs) == 10 + 2 + 1
    np.testing.assert_allclose(step_cost.teachers_passes(group, [0, 0, 1], costs), 11)


@pytest.mark.slow
def test_method_cost(tiny, capsys):
    smoke.run(method_cost, *smoke.TINY, "--turns=2", "--methods=takd")
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["ms", "times", "alone", "with", "the", "pivot"]
    table = {name: list(map(float, numbers)) for name, *numbers in map(str.split, rows)}
    assert set(table) == {"alone", "takd"}
    assert table["alone"][1] == 1 and min(map(min, table.values())) > 0


def test_the_pivots_steps_are_added_where_it_learns_before(capsys):
    """In each turn, relative to the same turn; the milliseconds are of one of its mini-batches."""
    times = {name: np.array([2.0, 4.0, 6.0]) for name in (*METHODS, "pivot")}
    times["alone"] = np.array([1.0, 2.0, 3.0])
    method_cost.show(times, mini_batches=4, pivot_steps=0.5)
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:])
    assert rows["orc"].split() == ["1000.0", "2.00", "3.00"]
    assert rows["dml"].split() == ["1000.0", "2.00", "2.00"]


@pytest.mark.parametrize(
    ("method", "stages"),
    [("orc", 1), ("kd", 1), ("takd", 3)],  # takd: one for each student
)
def test_the_pivot_alone_is_no_part_of_a_step(method, stages):
    group, entered = METHODS[method](*hidden_group_members()), []
    group.set_stage = entered.append
    images = SimpleNamespace(group=lambda method: group, step_of=lambda group: lambda: None)
    method_cost.stages_step(images, method)
    assert entered[-1:] == ["group"] and "pivot" not in entered
    assert len(entered) == stages


@pytest.mark.slow
def test_watching(tiny, capsys):
    smoke.run(watching, *smoke.TINY, "--turns=4", "--steps=2")
    printed = capsys.readouterr().out
    assert "without records" in printed and "half of the turns" in printed
    steps, with_epoch = (
        smoke.number_behind(printed, words)
        for words in ("ratio of the steps", "ratio, that included")
    )
    assert 0 < steps < with_epoch, "the end of an epoch takes time"


def test_what_watching_leaves_out_is_not_recorded(group, few):
    """Otherwise the library has renamed what a group records by, and the ratio would be wrong."""
    names = {metric.name for metric in group.metrics}
    unrecorded = watching.without_records(group)
    assert names - {metric.name for metric in unrecorded.metrics} >= {"confidence_gap"}
    unrecorded.fit(*few, batch_size=8, verbose=0)
    assert int(unrecorded.role_record.mini_batches) == 4
    assert not np.any(unrecorded.role_record.recent_teachers)


def test_scaling(monkeypatch, capsys):
    """Of a small group, with figures that can be followed by hand."""
    members = ("resnet14", "resnet8", "resnet8")
    monkeypatch.setitem(scaling.GROUPS, "small", (members, 64, "cifar_core"))
    assumed = ("--tflops=1", "--gpus_per_machine=2", "--link_gb=4", "--network_gb=1")
    smoke.run(scaling, "--groups=small", *assumed, "--gpus=1,2,4", "--cifar_core=100")
    _, about, *printed = capsys.readouterr().out.splitlines()
    sizes, (head, first, second, third, *rest) = printed[:3], printed[3:]
    assert about.startswith("small: ") and len(rest) == 3
    assert [line.split(":")[0].strip() for line in sizes] == list(members)
    assert head.split()[:2] == ["GPUs", "batch"]

    networks = {name: models.build(name, (32, 32, 3), 100) for name in set(members)}
    large, small = (models.flops(networks[name]) for name in ("resnet14", "resnet8"))
    operations = 3 * (large + 2 * small) + large + small
    size = 4 * sum(models.parameters(networks[name]) for name in members)
    computing = 64 * operations / 1e12
    for row, gpus, summing in (
        (first, 1, 0),
        (second, 2, size / 4e9),  # each sends half of it twice, to the other one in the machine
        (third, 4, size / 1e9),  # and so does each of the two machines
    ):
        speed = gpus * 64 / (computing + summing)
        numbers = [float(word.replace(",", "").rstrip("%")) for word in row.split()]
        share = 100 * summing / (computing + summing)
        expected = [gpus, 64 * gpus, 1e3 * computing, 1e3 * summing, speed, share, speed / 100]
        np.testing.assert_allclose(numbers, expected, rtol=0.01, atol=0.51)
        np.testing.assert_allclose(numbers[2:4], expected[2:4], atol=0.051)


def test_the_groups_of_scaling_are_those_of_the_flagfiles():
    for name in ("wrn40_2", "imagenet"):
        lines = (smoke.ROOT / "configs" / f"{name}.flags").read_text().splitlines()
        flags = dict(line.split("=", 1) for line in lines if line.startswith("--"))
        members, batch, _ = scaling.GROUPS[name]
        assert ",".join(members) == f"{flags['--pivot']},{flags['--students']}"
        assert batch == int(flags.get("--batch_size", 64))


def test_input_pipeline(capsys):
    small = ("--images=48", "--jpegs=3", "--batch_size=2", "--turns=1", "--seconds=0")
    smoke.run(input_pipeline, *small)
    about, head, *rows = capsys.readouterr().out.splitlines()
    assert 50 < smoke.number_behind(about, "JPEGs of ") < 200
    assert head.split() == ["pipeline", "images", "per", "second", "ratio"]
    names, speeds, ratios = zip(*(row.rsplit(maxsplit=2) for row in rows))
    assert names == tuple(name for pair in input_pipeline.PAIRS for name in pair)
    cifar, one_by_one, *_ = (float(speed.replace(",", "")) for speed in speeds)
    assert ratios[1] == ratios[3] == "1.00"
    np.testing.assert_allclose(float(ratios[0]), cifar / one_by_one, atol=0.006, rtol=0.01)


def test_both_pipelines_make_the_same_of_an_image():
    """Otherwise their speeds could not be compared."""
    rng = np.random.default_rng(0)
    image_data, one_by_one = input_pipeline.cifar(rng, 40, 4)
    for batches in (input_pipeline.training(image_data, 4, ()), one_by_one):
        images, labels = next(iter(batches))
        assert images.shape == (4, 32, 32, 3) and images.dtype == "float32"
        assert labels.shape == (4,) and -2.01 < images.numpy().min() < -1.9


def test_input_memory(monkeypatch, capsys):
    """In this process: two more imports of TensorFlow would take longer."""
    peaks = [10_000_000, 9_000_000]  # in place of this process's

    def here(function, *arguments):
        returned = function(*arguments)
        assert returned is None or returned > 10**8, "it has more than TensorFlow takes"
        return peaks.pop(0) if returned else None

    monkeypatch.setattr(input_pipeline, "in_new_process", here)
    smoke.run(input_pipeline, "--memory", "--images=800")
    megabytes = 600 * 32 * 32 * 3 / 1e6
    expected = f"{megabytes:.0f} MB of images took 1 MB of memory at the peak: "
    expected += f"{1 / megabytes:.2f} times their bytes."
    assert re.fullmatch(re.escape(expected), capsys.readouterr().out.strip())
