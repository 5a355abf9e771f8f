"""Comparisons: what they say of the runs that have finished."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from helpers.comparisons import settings
from helpers.summaries import MEMBER, SUMMARY
from scipy import stats

from orc_keras.compare import plan, plots, tables
from orc_keras.compare.results import Results
from orc_keras.runs import checksums, names

ACCURACIES = {
    "kd": [0.90, 0.92, 0.91],
    "alone": [0.88, 0.91, 0.93],
    "orc": [0.93, 0.95, 0.92],
}


@pytest.fixture
def finished(tmp_path):
    """The runs of a comparison, finished, with the accuracies above."""
    runs = plan.plan(settings(batch_size=10, epochs=2), ["orc"], [], [0, 1, 2], tmp_path)
    for run in runs:
        run.directory.mkdir(parents=True)
        student = ACCURACIES[run.variant][run.seed]
        accuracies = {"a": 0.5, "b": 0.6, "c": student}
        summary = SUMMARY | {
            "members": {name: MEMBER | {"accuracy": a} for name, a in accuracies.items()},
            "images_per_second_without_evaluation": 50 if run.variant == "alone" else 40,
        }
        (run.directory / "summary.json").write_text(json.dumps(summary))
        (run.directory / "settings.flags").write_text(run.settings.as_flags())
        (run.directory / "history.csv").write_text(f"epoch,val_accuracy\n0,0.1\n1,{student}\n")
        sum_up(run.directory)
    return runs


def sum_up(directory):
    written = {name: directory / name for name in ("summary.json", "history.csv")}
    (directory / names.SUMS).write_text(checksums.of(written))


def test_the_statistics_are_scipys(finished):
    results = Results(finished)
    row = tables.row(results, "orc")
    ours, kd = np.array(ACCURACIES["orc"]), np.array(ACCURACIES["kd"])
    assert row["accuracy"] == pytest.approx(ours.mean())
    assert row["standard_error"] == pytest.approx(stats.sem(ours))
    interval = stats.ttest_rel(ours, kd).confidence_interval(0.95)
    assert row["minus_kd"] == pytest.approx((ours - kd).mean())
    assert (row["minus_kd_low"], row["minus_kd_high"]) == pytest.approx(tuple(interval))
    assert row["speed"] == pytest.approx(0.8)


def test_what_the_table_says(finished, tmp_path):
    finished.append(plan.plan(settings(), ["dml"], [], [9], tmp_path)[-1])
    text = tables.write(Results(finished), tmp_path)
    assert (
        "| orc | 93.33 ± 0.88 | 3 | +2.33 (-0.54 to +5.20) | +2.67 (-5.32 to +10.65) | 0.80 |"
        in text
    )
    assert "| kd | 91.00 ± 0.58 | 3 |  | +0.33 (-4.84 to +5.50) | 0.80 |" in text
    assert "| orc | 50.00 ± 0.00 | 60.00 ± 0.00 | 93.33 ± 0.88 |" in text
    assert "Runs that have not finished: 1." in text
    with open(tmp_path / "results.csv") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert float(rows["orc"]["minus_alone"]) == pytest.approx(0.08 / 3)
    with open(tmp_path / "runs.csv") as file:
        runs = [(row["name"], row["seed"], row["c"]) for row in csv.DictReader(file)]
    assert ("alone", "1", "0.91") in runs and len(runs) == 9


def test_variants_are_compared_with_orc_too(finished):
    """With the seeds that both have: 0.91 and 0.93 of alone against 0.95 and 0.92."""
    some = [run for run in finished if run.variant == "alone" and run.seed]
    more = [dataclasses.replace(run, variant="mine") for run in some]
    text = tables.markdown(Results([*finished, *more]))
    assert "| minus kd | minus alone | minus orc | speed |" in text
    differences = np.array([0.91 - 0.95, 0.93 - 0.92])
    low, high = stats.ttest_1samp(100 * differences, 0).confidence_interval(0.95)
    assert f"| -1.50 ({low:+.2f} to {high:+.2f}) |" in text


def test_one_seed_has_no_interval(finished):
    results = Results([run for run in finished if run.seed == 0])
    assert "| orc | 93.00 | 1 | +3.00 | +5.00 | 0.80 |" in tables.markdown(results)


def test_the_plots_show_what_the_table_says(finished, tmp_path):
    results = Results(finished)
    (axes,) = plots.accuracy(results).axes
    diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert diamonds == pytest.approx([91, 100 * np.mean(ACCURACIES["alone"]), 100 * 2.8 / 3])
    (axes,) = plots.steps(results).axes
    curve = axes.lines[-1]
    assert curve.get_label() == "orc"
    assert curve.get_xdata().tolist() == [4, 8]  # 45 images are 4 mini-batches of 10
    assert curve.get_ydata() == pytest.approx([10, 100 * 2.8 / 3])
    assert axes.get_ylim()[0] == pytest.approx(72)  # alone, the worst, ends with 28 / 3 % wrong
    plots.write(results, tmp_path)
    assert (tmp_path / "accuracy.png").stat().st_size > 5000


def test_a_single_epoch_can_be_seen(finished):
    for run in finished:
        (run.directory / "history.csv").write_text("epoch,val_accuracy\n0,0.9\n")
        sum_up(run.directory)
    (axes,) = plots.steps(Results(finished)).axes
    assert [line.get_marker() for line in axes.lines] == ["o"] * 3


def test_many_long_names_leave_room_for_the_curves(finished):
    of_orc = [run for run in finished if run.variant == "orc"]
    more = [
        dataclasses.replace(r, variant=f"{i} with a long name") for i in range(15) for r in of_orc
    ]
    drawn = plots.steps(Results([*finished, *more]))
    drawn.draw_without_rendering()
    box = drawn.axes[0].get_position()
    assert box.width > 0.75 and box.height * drawn.get_figheight() > 2  # inches
