"""Reports of runs that are made up."""

import json
import re

import matplotlib.style
import numpy as np
import pytest
from helpers.made_up_run import MEMBERS, made_up_benchmark, make_run
from helpers.pages import plots_in, written
from PIL import Image

from orc_keras.report import plot_style, plots, tables
from orc_keras.report.comparison import Comparison
from orc_keras.report.run_contents import RunContents
from orc_keras.runs import RunDirectory, predictions
from orc_keras.runs.predictions import Predictions


@pytest.fixture
def before(tmp_path):
    return make_run(tmp_path / "before", accuracy=0.4, seed=1)


def test_a_report_shows_everything_and_needs_nothing(run, before):
    page = written(run, before)
    assert plots_in(page) == {
        *("accuracy", "loss", "roles", "confidence", "teachings", "calibration"),
        *("classes_small", "classes_small_2", "confusion_matrix"),
    }
    for name in plots_in(page):
        plot = Image.open(run / "report" / f"{name}.png")
        assert np.asarray(plot.convert("L")).std() > 5, "an empty plot"
    addresses = re.findall(r'(?:src|srcset|href)="([^"]{0,30})', page)
    assert len(addresses) > 8 and all(a.startswith("data:") for a in addresses)
    assert "<b>more</b>" not in page and "two &amp; &lt;b&gt;more" in page
    assert "top-1 in before" in page and 'class="problems"' not in page
    by_itself = written(run)
    assert "top-1 in before" not in by_itself
    assert "before and after" in page and "before and after" not in by_itself
    assert "classes_small" not in plots_in(by_itself)


def test_what_the_members_cost(run):
    """Where `orc_keras.benchmark` has measured it; a damaged file is said."""
    (run / "benchmark.json").write_text(json.dumps(made_up_benchmark()))
    page = written(run)
    assert "small: 4.0 times smaller, 1.5 times faster than large, 1.5 points" in page
    assert "latency" in plots_in(page) and "a &lt;b&gt;processor" in page
    (run / "benchmark.json").write_text('{"rows": [')
    damaged = RunContents(run)
    assert damaged.benchmark is None and "benchmark.json is damaged:" in damaged.problems[0]


def shares(roles):
    return {n: f"{(roles == i).mean():.1%}" for i, n in enumerate(("small", "small_2"))}


def test_who_taught_at_which_learning_rate(run):
    roles = np.load(run / "roles.npy")
    assert tables.shares_taught(RunContents(run)) == [
        {"epochs": "1 to 4", "learning rate": "0.1"} | shares(roles[:40]),
        {"epochs": "5 to 6", "learning rate": "0.01"} | shares(roles[40:]),
    ]
    roles[:50] = 255  # not known
    np.save(run / "roles.npy", roles)
    unknown, partly = tables.shares_taught(RunContents(run))
    assert unknown["small"] == "unknown" and partly.items() >= shares(roles[50:]).items()


def test_the_change_on_difficult_classes_by_hand(tmp_path):
    """Eight classes of 10 images; what both find hardest are classes 5 and 2."""
    run, other = (make_run(tmp_path / name, classes=list("abcdefgh")) for name in ("a", "b"))
    runs = RunContents(run), RunContents(other)
    labels = np.arange(80) % 8
    rank = [np.zeros(80, int), np.zeros(80, int)]
    for each, hits in zip(rank, ({5: 4, 2: 6, 3: 9}, {5: 2, 2: 4, 3: 9})):
        for label, number in hits.items():
            each[np.flatnonzero(labels == label)[number:]] = 1
    for each, ranks in zip(runs, rank):
        for name in MEMBERS:
            each.predictions[name] = Predictions(labels, ranks, ranks, ranks, ranks)
    comparison = Comparison(*runs)
    assert comparison.difficult == [5, 2] and comparison.hardest_first[:3] == [5, 2, 3]
    before, after, error = comparison.change("small", comparison.difficult)
    assert (before, after) == (6 / 20, 10 / 20)
    differences = [1] * 4 + [0] * 16
    assert error == pytest.approx(np.std(differences, ddof=1) / np.sqrt(20))


def with_answers(path, labels, answers, classes):
    """The contents of a run whose student gives these answers."""
    make_run(path, classes=classes)
    run = RunContents(path)
    run.predictions["small_2"] = Predictions.from_logits(np.eye(len(classes))[answers], labels)
    return run


def test_accuracy_by_class_and_the_matrix_by_hand(tmp_path):
    """A class that is never right comes first; one without images is left out of the table."""
    labels, answers = [0] * 4 + [1] * 3 + [2] * 2, [0, 0, 0, 1, 2, 2, 0, 2, 2]
    run = with_answers(tmp_path / "run", labels, answers, ["cat", "dog", "owl", "yak"])
    assert run.confusion_matrix.tolist() == [[3, 1, 0, 0], [1, 0, 2, 0], [0, 0, 2, 0], [0] * 4]
    columns = ("class", "images", "accuracy", "most often taken for")
    assert [tuple(row[column] for column in columns) for row in tables.classes(run)] == [
        ("dog", "3", "0.00%", "owl (2)"),
        ("cat", "4", "75.00%", "dog (1)"),
        ("owl", "2", "100.00%", ""),
    ]
    (axes,) = plots.confusion_matrix(run.confusion_matrix, run.class_names).axes
    assert [text.get_text() for text in axes.texts] == list("3100102000200000")
    np.testing.assert_allclose(
        axes.images[0].get_array()[:2], [[3 / 4, 1 / 4, 0, 0], [1 / 3, 0, 2 / 3, 0]]
    )


def test_of_many_classes_the_worst_are_in_a_table(tmp_path):
    names = [f"class {i}" for i in range(31)]
    labels = np.repeat(np.arange(31), 2)
    answers = np.where((labels == 7) | (np.arange(62) == 20), 0, labels)
    run = with_answers(tmp_path / "run", labels, answers, names)
    rows = tables.classes(run)
    assert [row["class"] for row in rows[:3]] == ["class 7", "class 10", "class 0"]
    assert len(rows) == 20
    assert "confusion_matrix" not in plots.draw(run, None)


def test_the_measures_that_say_something(run, tmp_path):
    """Of four classes all images are in the top five; balanced accuracy if classes are unequal."""
    (row, *_), contents = tables.members(RunContents(run), []), RunContents(run)
    assert not {"top-5", "balanced", "top-1 as it came"} & {*row}
    pivot = contents.summary["members"]["large"]
    pivot |= {"balanced_accuracy": 0.25, "accuracy": 0.59, "accuracy_before": 0.591}
    row, student, _ = tables.members(contents, [])
    expected = {"top-1": "59.00%", "balanced": "25.00%", "top-1 as it came": "59.10%"}
    assert row.items() >= expected.items() and "top-1 as it came" not in student
    six = RunContents(make_run(tmp_path / "six", classes=list("abcdef")))
    assert "top-5" in tables.members(six, [])[0]


def test_a_better_student_and_the_files_of_images(run):
    """Both are named; files as text."""
    before = RunDirectory(run).evaluation
    names = {position: f"val/<cat>/{position}.png" for position in before.examples}
    predictions.write(before._replace(files=names), run / "evaluation.npz")
    contents = json.loads((run / "summary.json").read_text())
    contents["members"]["small"]["accuracy"] = 0.99
    (run / "summary.json").write_text(json.dumps(contents))
    page = written(run)
    assert all(f"<br>val/&lt;cat&gt;/{each}.png</figcaption>" in page for each in names)
    assert "small is more accurate than the student, small_2. To export it:\n" in page
    assert f"orc-keras export --run={run} --member=small\n" in page


@pytest.mark.parametrize(
    "low, high",
    [(0.4, 0.46), (1.41, 1.44), (0.9, 2.6), (0.31, 0.95), (1.1, 9.9), (0.01, 4), (2, 2)],
)
def test_an_axis_of_losses_has_three_ticks(run, low, high):
    """At least, within what it shows, logarithmic ones too."""
    contents = RunContents(run)
    for name, values in contents.history.items():
        if name.endswith(("_loss", "_teaching", "_gap")):
            contents.history[name] = np.linspace(low, high, len(values)).tolist()
    with matplotlib.style.context(plot_style.STYLE):
        figures = plots.draw(contents, None)
        axes = [each for figure in figures.values() for each in figure.axes]
        axes = [each for each in axes if "nats" in each.get_ylabel()]
        assert len(axes) == 4
        for each in axes:
            bottom, top = each.get_ylim()
            ticks = [tick for tick in each.get_yticks() if bottom <= tick <= top]
            assert len(ticks) >= 3, each.get_ylabel()
            assert len(ticks) < 12
