"""Bundles: what is in them, and that what is wrong is noticed."""

import csv
import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
from helpers.digits_run import normalised
from scipy import stats

from orc_keras.runs import checksums
from orc_keras.verify import __main__ as verify_program
from orc_keras.verify import bundle, checks


@pytest.fixture
def made(digits_run, tmp_path):
    bundle.make(digits_run, tmp_path / "bundle")
    return tmp_path / "bundle"


def sum_up(directory):
    """The checksums of whoever has changed a bundle."""
    paths = {p.name: p for p in sorted(directory.iterdir()) if p.name != "SHA256SUMS"}
    (directory / "SHA256SUMS").write_text(checksums.of(paths))


def test_a_bundle_is_verified_without_the_run(made, held_out):
    assert {p.name for p in made.iterdir()} == {
        *("settings.flags", "data.json", "summary.json", "history.csv", "student.keras"),
        *("seeds.csv", "SHA256SUMS"),
    }
    settings = checks.settings_of(made)
    assert (settings.output_dir, settings.max_checkpoints) == ("", 2)
    text = "".join(path.read_text() for path in made.iterdir() if path.suffix != ".keras")
    assert str(made.parent.parent) not in text, "a path of this machine"
    figures = checks.figures(made)
    assert all(recorded == now for recorded, now in figures.values())
    images, labels = held_out
    network = keras.saving.load_model(made / "student.keras")
    hits = network.predict(normalised(images), verbose=0).argmax(axis=1) == labels
    assert figures["accuracy"][1] == f"{hits.mean():.4%}"


def test_other_weights_are_noticed(made):
    network = keras.saving.load_model(made / "student.keras")
    network.layers[-1].kernel.assign(-network.layers[-1].kernel)
    network.save(made / "student.keras")
    with pytest.raises(ValueError, match="student.keras is damaged, or not of this run"):
        checks.settings_of(made)
    sum_up(made)
    recorded, now = checks.figures(made)["accuracy"]
    assert recorded != now


def test_other_images_are_noticed(made, digits_run, tmp_path):
    described = json.loads((made / "data.json").read_text())
    (made / "data.json").write_text(json.dumps(described | {"train_images": 1436}))
    sum_up(made)
    with pytest.raises(ValueError, match="is not what the run in .* learnt from: train_images"):
        checks.figures(made)
    with pytest.raises(ValueError, match="bundle is there already"):
        bundle.make(digits_run, made)


def test_images_elsewhere_are_asked_for(made):
    settings = (made / "settings.flags").read_text()
    (made / "settings.flags").write_text(settings.replace("=digits", "=idx:mine"))
    sum_up(made)
    with pytest.raises(ValueError, match=r"idx:mine .* --dataset=idx:\.\.\. says where"):
        checks.figures(made)


def write_curve(directory, accuracies):
    rows = "".join(f"{epoch},{value}\n" for epoch, value in enumerate(accuracies))
    (directory / "history.csv").write_text(f"epoch,val_accuracy\n{rows}")
    sum_up(directory)


def test_where_a_curve_leaves_the_band(made, tmp_path):
    """The band is that of SciPy's t distribution; the second epoch had no evaluation."""
    seeds = {1: [0.5, 0.52, 0.51], 3: [0.8, 0.82, 0.87]}
    with open(made / "seeds.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "epoch", "accuracy"])
        writer.writerows((s, e, seeds[e][s]) for s in range(3) for e in seeds)
    write_curve(made, [0.5, np.nan, 0.8])
    again = shutil.copytree(made, tmp_path / "again")
    write_curve(again, [0.5, np.nan, 0.69])
    first, third = checks.curve(made, again)
    assert (first.epoch, third.epoch) == (1, 3)
    assert first.is_recorded() and not third.is_recorded()
    assert not first.is_outside() and not third.is_outside()
    values = np.array(seeds[3])
    expected = stats.t(2, values.mean(), stats.sem(values) * 2).interval(
        1 - 0.05 / 2
    )  # of two evaluations of a fourth seed
    assert (third.low, third.high) == pytest.approx(expected)
    write_curve(again, [0.5, np.nan, third.low - 0.001])
    assert [point.is_outside() for point in checks.curve(made, again)] == [False, True]


def test_a_single_seed_has_no_band(made):
    (point,) = checks.curve(made, made)
    assert point.is_recorded() and not point.is_outside() and np.isnan(point.low)
    other = dataclasses.replace(point, accuracy=0.0)
    assert verify_program._agrees([point]) and not verify_program._agrees([other])
    assert "one recorded seed makes no band" in verify_program._verdict([other])
