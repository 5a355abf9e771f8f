"""Comparisons: what they say of the runs that have finished."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from helpers.comparisons import settings
from helpers.summaries import MEMBER, SUMMARY
from scipy import stats

from orc_keras import checksums, run_files
from orc_keras.compare import plan, plots, results, statistics, tables

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
        run.directory.path.mkdir(parents=True)
        student = ACCURACIES[run.name][run.settings.seed]
        accuracies = {"a": 0.5, "b": 0.6, "c": student}
        summary = SUMMARY | {
            "members": {name: MEMBER | {"accuracy": a} for name, a in accuracies.items()},
            "seconds": 90,
            "seconds_of_stages": {"pivot": 30, "group": 60},
        }
        (run.directory / "summary.json").write_text(json.dumps(summary))
        (run.directory / "settings.flags").write_text(run.settings.as_flags())
        (run.directory / "history.csv").write_text(f"epoch,val_accuracy\n0,0.1\n1,{student}\n")
        sum_up(run.directory.path)
    return runs


def sum_up(directory):
    written = {name: directory / name for name in ("settings.flags", "summary.json", "history.csv")}
    (directory / run_files.SUMS).write_text(checksums.text(written))


def tables_of(runs):
    return results.Results(results.member_results(runs))


def test_the_statistics_are_scipys(finished):
    rows = tables.differences(tables_of(finished), ["kd"])
    (row,) = [row for row in rows if row["name"] == "orc"]
    ours, kd = np.array(ACCURACIES["orc"]), np.array(ACCURACIES["kd"])
    test = stats.ttest_rel(ours, kd)
    assert row["difference"] == pytest.approx((ours - kd).mean())
    assert (row["low"], row["high"]) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert row["p"] == pytest.approx(test.pvalue)


def test_what_the_tables_say(finished, tmp_path):
    """Minutes: 90 s, and 30 s for the pivot where the run of kd has trained it."""
    text = tables.write(tables_of(finished), tmp_path)
    assert "| kd | 91.00 ± 0.58 | 3 | 1.5 |" in text
    assert "| orc | 93.33 ± 0.88 | 3 | 2.0 |" in text
    assert "| orc | +2.33 (-0.54 to +5.20) | no | 0.218 | 119 |" in text
    assert "| orc | +2.67 (-5.32 to +10.65) | no | 0.575 | 904 |" in text
    assert "| orc | 50.00 ± 0.00 | 60.00 ± 0.00 | 93.33 ± 0.88 |" in text
    assert "Holm correction for all 3 differences" in text
    with open(tmp_path / "results.csv") as file:
        rows = {(row["name"], row["minus"]): row for row in csv.DictReader(file)}
    assert list(rows) == [("alone", "kd"), ("orc", "kd"), ("orc", "alone")]
    assert float(rows["orc", "alone"]["difference"]) == pytest.approx(0.08 / 3)


def test_the_runs_are_read_as_they_were_written(finished, tmp_path):
    figures = results.member_results(finished)
    results.write(figures, tmp_path / "runs.csv")
    assert str(results.read(tmp_path / "runs.csv")) == str(figures) and len(figures) == 27
    (tmp_path / "other.csv").write_text("name,seed\norc,0\n")
    with pytest.raises(ValueError, match="other.csv is not the runs.csv of a comparison"):
        results.read(tmp_path / "other.csv")


@pytest.mark.parametrize("deviation", [0.2, 1.0])
def test_so_many_seeds_tell_the_difference(deviation):
    """In simulated comparisons with that many seeds, four of five have p below 0.05."""
    rng = np.random.default_rng(0)
    values = np.array([-1.0, 0.0, 1.0]) * deviation
    needed = statistics.seeds_needed(values.tolist(), 0.3)
    drawn = rng.normal(0.3, deviation, (20_000, needed))
    assert 0.79 < np.mean(stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05) < 0.87


def test_differences_without_scatter():
    assert statistics.p_value([0.0] * 3) == 1 and np.isnan(statistics.p_value([0.1] * 3))
    assert statistics.seeds_needed([0.1] * 3, 0.3) is None
    assert np.isnan(statistics.p_value([0.01, 0.02]))


def test_variants_are_compared_with_orc_too(finished, tmp_path):
    """With the seeds that both have: 0.91 and 0.93 of alone against 0.95 and 0.92.

    The interval of two seeds would be from -33 to +30 points.
    """
    some = [run for run in finished if run.name == "alone" and run.settings.seed]
    more = [dataclasses.replace(run, name="mine") for run in some]
    text = tables.write(tables_of([*finished, *more]), tmp_path)
    assert all(f"|  | minus {name} | significant" in text for name in ("kd", "alone", "orc"))
    assert "| mine | -1.50 | too few seeds |  |  |" in text


def test_one_seed_has_no_interval(finished):
    one = tables_of([run for run in finished if run.settings.seed == 0])
    text = tables.markdown(one, ["kd"])
    assert "| orc | 93.00 | 1 | 2.0 |" in text and "| orc | +3.00 | too few seeds |  |  |" in text


def test_the_plots_show_what_the_tables_say(finished, tmp_path):
    of_runs, curves = tables_of(finished), results.learning_curves(finished)
    (axes,) = plots.accuracy(of_runs).axes
    diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    means = [91, 100 * np.mean(ACCURACIES["alone"]), 100 * 2.8 / 3]
    assert diamonds == pytest.approx(means)
    (axes,) = plots.steps(of_runs, curves).axes
    curve = axes.lines[-1]
    assert curve.get_label() == "orc"
    assert curve.get_xdata().tolist() == [4, 8]  # 45 images are 4 mini-batches of 10
    assert curve.get_ydata() == pytest.approx([10, 100 * 2.8 / 3])
    assert axes.get_ylim()[0] == pytest.approx(72)  # alone, the worst, ends with 28 / 3 % wrong
    points = [(1.5, means[0]), (1.5, means[1]), (2, means[2])]
    (axes,) = plots.minutes(of_runs).axes
    shown = [bar.lines[0].get_xydata()[0] for bar in axes.containers]
    np.testing.assert_allclose(shown, points)
    (axes,) = plots.size(of_runs).axes
    assert axes.lines[2].get_ydata() == pytest.approx([50, 60, means[2]])
    plots.write(of_runs, curves, tmp_path)
    assert (tmp_path / "size.png").stat().st_size > 5000


@pytest.mark.parametrize("accuracies", [(1.0, 1.0, 0.98), (0.1, 0.9, 0.02), (1.0,), (0.0, 0.01)])
def test_axes_of_accuracy_lie_within_0_and_100(finished, accuracies):
    """Whatever the runs and the intervals; intervals end there too, and two seeds have none."""
    of_runs = results.Results(
        [
            each._replace(accuracy=accuracies[each.seed])
            for each in results.member_results(finished)
            if each.seed < len(accuracies)
        ]
    )
    figures = (plots.accuracy, plots.minutes, plots.size)
    (by_name, minutes, by_size) = (draw(of_runs).axes[0] for draw in figures)
    for limits in (by_name.get_xlim(), minutes.get_ylim(), by_size.get_ylim()):
        assert 0 <= limits[0] < limits[1] <= 100
    (bar,) = by_name.containers[0].lines[2][0].get_segments()
    if len(accuracies) < 3:
        assert bar.size == 0
    else:
        interval = stats.t.interval(0.95, 2, np.mean(accuracies), stats.sem(accuracies))
        np.testing.assert_allclose(bar[:, 0], 100 * np.clip(interval, 0, 1))
    curves = {name: (np.array([4]), np.array([accuracies]).T) for name in of_runs.names}
    assert plots.steps(of_runs, curves).axes[0].get_ylim()[1] <= 100


def test_epochs_without_an_evaluation_are_left_out(finished):
    for run in finished:
        (run.directory / "history.csv").write_text("epoch,val_accuracy\n0,nan\n1,0.9\n")
        sum_up(run.directory.path)
    (axes,) = plots.steps(tables_of(finished), results.learning_curves(finished)).axes
    assert [line.get_marker() for line in axes.lines] == ["o"] * 3
    assert [line.get_xdata().tolist() for line in axes.lines] == [[8]] * 3


def test_curves_end_where_the_first_seed_stopped_early(finished):
    of_orc = [run for run in finished if run.name == "orc"]
    for number, run in enumerate(of_orc, start=2):
        rows = "".join(f"{epoch},0.{epoch}\n" for epoch in range(number))
        (run.directory / "history.csv").write_text(f"epoch,val_accuracy\n{rows}")
        sum_up(run.directory.path)
    steps, accuracy = results.learning_curves(of_orc)["orc"]
    assert len(of_orc) > 1 and len(steps) == 2
    np.testing.assert_array_equal(accuracy, [[0, 0.1]] * len(of_orc))


def test_many_long_names_leave_room_for_the_curves(finished):
    of_orc = [run for run in finished if run.name == "orc"]
    more = [dataclasses.replace(r, name=f"{i} with a long name") for i in range(15) for r in of_orc]
    runs = [*finished, *more]
    drawn = plots.steps(tables_of(runs), results.learning_curves(runs))
    drawn.draw_without_rendering()
    box = drawn.axes[0].get_position()
    assert box.width > 0.75 and box.height * drawn.get_figheight() > 2  # inches
