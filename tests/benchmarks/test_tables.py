"""The tables of the results, from files of a few invented runs; and those in the pages."""

from pathlib import Path

import cogapp
import numpy as np
import pytest
from helpers import smoke
from helpers.made_up_run import make_run
from scipy import stats

from orc_keras import checksums, run_files
from orc_keras.runs import finished_run

import behaviour  # isort: skip  (which smoke makes importable)
import results  # isort: skip

ACCURACIES = {"kd": [0.70, 0.72, 0.71], "orc": [0.72, 0.73, 0.74], "mine": [0.71, 0.72, 0.73]}


def write_runs(path, seeds):
    columns = "name,seed,member,role,parameters,accuracy,taught,minutes"
    rows = [f"{n},{s},net,student,99,{ACCURACIES[n][s]},nan,2.5" for n in ACCURACIES for s in seeds]
    path.write_text("\n".join([columns, *rows]) + "\n")
    return str(path)


def test_tables_from_two_comparisons(tmp_path, capsys):
    files = write_runs(tmp_path / "a.csv", [0, 1]), write_runs(tmp_path / "b.csv", [2])
    smoke.run(results, *files, "--minus=kd", "--names=o*")
    printed = capsys.readouterr().out
    ours, kd = 100 * np.array(ACCURACIES["orc"]), 100 * np.array(ACCURACIES["kd"])
    low, high = stats.ttest_rel(ours, kd).confidence_interval(0.95)
    assert f"| orc | +2.00 ({low:+.2f} to {high:+.2f}) |" in printed
    assert "mine" not in printed and "| orc | 73.00 ± 0.58 | 3 | 2.5 |" in printed
    with pytest.raises(ValueError, match="the files hold a run twice"):
        smoke.run(results, files[0], files[0])
    with pytest.raises(ValueError, match="--names=x is unknown; there are kd, orc, mine"):
        smoke.run(results, *files, "--names=o*,x", "--minus=kd")


def test_who_taught_and_what_each_class_gained(tmp_path, capsys, monkeypatch):
    """Against NumPy, from the files of two runs; the hardest class is that of alone."""
    for seed, name in enumerate(("alone", "orc")):
        (tmp_path / "compare" / name).mkdir(parents=True)
        made = make_run(tmp_path / "compare" / name / "seed0", seed=seed)
        sums = checksums.text({path.name: path for path in made.iterdir()})
        (made / run_files.SUMS).write_text(sums)
    runs = {n: finished_run(tmp_path / "compare" / n / "seed0") for n in ("orc", "alone")}
    classes = runs["orc"].summary["data"]["class_names"]
    by_class = {}
    for name, run in runs.items():
        predictions = run.evaluation.predictions["small_2"]
        by_class[name] = np.array(
            [np.mean(predictions.rank[predictions.labels == c] == 0) for c in range(len(classes))]
        )
    options = ("--names=orc,alone", "--difficult=1", f"--record={tmp_path / 'compare'}")
    smoke.run(behaviour, *options, str(tmp_path / "out"))
    printed = capsys.readouterr().out
    hardest = int(by_class["alone"].argmin())
    orc, alone = (100 * by_class[name][hardest] for name in ("orc", "alone"))
    assert (
        f"| difficult: {classes[hardest]} | {orc:.2f} | {alone:.2f} | {orc - alone:+.2f}" in printed
    )
    first = 100 * np.mean(runs["orc"].roles[:12, 0] == 0)  # of 60 mini-batches in five parts
    assert f"| orc | small | {first:.0f} |" in printed


def test_the_pages_have_what_the_programs_print(monkeypatch):
    """cog writes the tables into the pages; with --check it says whether they are the same."""
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    pages = ("README.md", "docs/results.md", "docs/results/appendix.md")
    options = ("-I", "benchmarks", "-P", "-p", "import shown")
    assert cogapp.Cog().main(["cog", *options, "--check", *pages]) == 0
    assert not any("]]] -->\n<!-- [[[end" in Path(page).read_text() for page in pages)
