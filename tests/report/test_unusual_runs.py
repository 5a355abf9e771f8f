"""Reports of runs that go on, are damaged, or cannot be compared."""

import csv
import json
import re

import numpy as np
import pytest
from helpers.made_up_run import make_run
from helpers.pages import plots_in, written

from orc_keras.report import page
from orc_keras.report.run_contents import RunContents

DAMAGE = (
    b"",
    b"{",
    b"{}",
    b"[1, 2]",
    b"\x93NUMPY\x01\x00garbage",
    b"epoch\n1\n",
    b'{"members": 0}',
)


@pytest.mark.parametrize(
    "name", ["summary.json", "data.json", "history.csv", "roles.npy", "evaluation.npz"]
)
def test_what_is_missing_or_damaged_is_said(run, name):
    for content in DAMAGE:
        (run / name).write_bytes(content)
        assert str(run / name) in RunContents(run).problems[0]
    (run / name).unlink()
    missing = [f"{run / name} is missing."] if name != "summary.json" else []  # not finished
    assert RunContents(run).problems == missing


def test_what_is_left_is_shown(run):
    """However much is damaged."""
    of_predictions = {"calibration", "confusion_matrix"}
    expected = [
        ("roles.npy", {"accuracy", "loss", "confidence", "teachings", *of_predictions}),
        ("summary.json", {"accuracy", "loss", "confidence", "teachings", *of_predictions}),
        ("history.csv", of_predictions),
        ("data.json", {"calibration"}),
        ("evaluation.npz", set()),
    ]
    for name, left in expected:
        (run / name).write_bytes(b"{}")
        page = written(run)
        assert plots_in(page) == left and str(run / name) in page


def test_a_run_that_goes_on(tmp_path):
    page = written(make_run(tmp_path / "run", finished=False))
    assert "A run that has not finished: 6 of 6 epochs" in page and "is missing" not in page
    assert plots_in(page) == {"accuracy", "loss", "roles", "confidence", "teachings"}


def test_a_learning_rate_of_every_epoch_is_one_interval(run):
    """As a cosine's, in the plots and in the table of who taught."""
    assert RunContents(run).learning_rate_intervals() == [(1, 4), (5, 6)]
    names, *rows = csv.reader((run / "history.csv").read_text().splitlines())
    for epoch, row in enumerate(rows):
        row[names.index("learning_rate")] = f"{0.1 * np.cos(epoch / 4):.3g}"
    (run / "history.csv").write_text("\n".join(map(",".join, [names, *rows])) + "\n")
    assert RunContents(run).learning_rate_intervals() == [(1, 6)]
    page = re.sub(r"\s*<[^>]*>\s*", "|", written(run))
    assert re.search(r"\|1 to 6\|+0.1 to 0.0315\|", page)


def test_a_run_that_has_just_begun(tmp_path):
    (tmp_path / "settings.flags").write_text(
        "--dataset=digits\n--pivot=a\n--students=b,c\n--batch_size=8\n--epochs=2\n"
    )
    page = written(tmp_path)
    assert "0 of 2 epochs" in page and "history.csv is missing" in page
    assert plots_in(page) == set()


@pytest.mark.parametrize("other", [dict(classes=["a", "b", "c", "d"]), dict(finished=False)])
def test_a_run_that_cannot_be_compared(run, tmp_path, other):
    page = written(run, make_run(tmp_path / "other", **other))
    assert "other is not compared: it was not evaluated on the images and classes of run." in page
    assert "top-1 in other" not in page and "calibration" in plots_in(page)


def test_what_is_no_run(run, tmp_path):
    for paths in ([tmp_path], [run, tmp_path / "nowhere"]):
        with pytest.raises(ValueError, match="settings.flags is missing"):
            page.write(paths)
    (tmp_path / "settings.flags").write_text("--batch_size=x")
    with pytest.raises(ValueError, match="settings.flags is damaged:\nflag --batch_size=x"):
        page.write([tmp_path])


def test_a_report_is_not_written_through_links_out_of_its_run(run, tmp_path):
    """Links to files give way to the report; one to a folder is refused."""
    (tmp_path / "mine").mkdir()
    (run / "report").symlink_to(tmp_path / "mine")
    with pytest.raises(ValueError, match="report leads out of the run by a link; delete it"):
        page.write([run])
    (run / "report").unlink()
    (run / "report").mkdir()
    for name in ("report.html", "accuracy.png"):
        (tmp_path / "mine" / name).write_text("mine")
        (run / "report" / name).symlink_to(tmp_path / "mine" / name)
    assert "accuracy" in plots_in(written(run))
    assert {path.read_text() for path in (tmp_path / "mine").iterdir()} == {"mine"}


def test_runs_that_are_not_alike(run, tmp_path):
    """Called alike, of other files, with roles that nobody knows, of one epoch."""
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    twins = [make_run(tmp_path / name / "seed0", seed=i) for i, name in enumerate("xy")]
    foreign = make_run(tmp_path / "foreign")
    data = json.loads((foreign / "data.json").read_text()) | {"files": "others"}
    (foreign / "data.json").write_text(json.dumps(data))
    np.save(run / "roles.npy", np.full((60, 1), 255, np.uint8))
    history = (run / "history.csv").read_text().splitlines()
    (run / "history.csv").write_text("\n".join(history[:2]) + "\n")
    page = written(run, *twins, foreign)
    assert all(f"top-1 in {twin}" in page for twin in twins)
    assert "foreign is not compared: it was not evaluated on the images" in page
    assert page.count(">unknown</td>") == 2 and "roles" not in plots_in(page)
