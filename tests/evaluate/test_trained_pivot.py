"""A pivot that comes trained: its accuracy before and after, and what is said at chance level."""

import warnings

import keras
import numpy as np
import pytest
from helpers.networks import hidden_network

from orc_keras import data, experiment
from orc_keras.files import from_json, sha256
from orc_keras.runs import RunDirectory, summary
from orc_keras.runs.predictions import Predictions
from orc_keras.training import stage

ONE_EPOCH = dict(students=("hidden12", "hidden6"), epochs=1, decay_epochs=())


def fitted_network(pixels, labels, *first):
    """A linear classifier that is right on most of these images, of 16 pixels and 5 classes."""
    inputs = np.c_[pixels.reshape(len(pixels), 16), np.ones(len(pixels))]
    solution = np.linalg.lstsq(inputs, np.eye(5)[labels], rcond=None)[0]
    layers = [*first, keras.layers.Flatten(), keras.layers.Dense(5)]
    network = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    network.layers[-1].set_weights([solution[:-1], solution[-1]])
    return network


@pytest.fixture
def images(tiny):
    """The held-out images, as pixels, and their labels."""
    held_out = data.load("tiny").held_out
    return held_out.pixels.numpy().astype(np.float32), held_out.labels.numpy()


@pytest.fixture
def teacher(images, tmp_path):
    """The path of a teacher of normalised images, and its accuracy."""
    pixels, labels = images
    normalised = (pixels / 255 - 0.5) / 0.3
    network = fitted_network(normalised, labels)
    network.save(tmp_path / "teacher.keras")
    logits = network.predict(normalised, verbose=0)
    return str(tmp_path / "teacher.keras"), np.mean(logits.argmax(axis=1) == labels)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["one_device", "mirrored"])
def test_the_accuracy_before_and_after(tiny, teacher, tmp_path, capsys, strategy):
    """After a step of a hundred the teacher is another one; the table and the card have both."""
    path, accuracy = teacher
    settings = tiny(
        pivot=path,
        output_dir=str(tmp_path / "run"),
        learning_rate=100.0,
        strategy=strategy,
        **ONE_EPOCH,
    )
    contents = experiment.prepare(settings)()
    assert accuracy > 0.7
    assert contents["sources"] == {path: sha256(path)}
    assert not (tmp_path / "run" / "pivot_history.csv").exists(), "it does not learn alone"
    pivot, *students = contents["members"].values()
    assert pivot["accuracy_before"] == pytest.approx(accuracy) != pivot["accuracy"]
    assert not any("accuracy_before" in student for student in students)
    printed = capsys.readouterr().out
    assert f"teacher comes trained: held out {accuracy:.2%}. It learns on in the group" in printed
    assert "group, at 0.01 times the learning rate.\nThe group learns:" in printed
    head, row, *_ = summary.table(contents).splitlines()
    assert head.split()[2:5] == ["held-out", "accuracy", "before"]
    assert row.split()[3:5] == [f"{pivot['accuracy']:.2%}", f"{accuracy:.2%}"]
    card = (tmp_path / "run" / "student" / "README.md").read_text()
    before_and_after = f"{accuracy:.2%} as it came, {pivot['accuracy']:.2%} after the group learnt"
    assert f"| accuracy of the pivot, teacher | {before_and_after} |" in card


@pytest.mark.slow
def test_it_is_measured_once_and_changes_nothing(tiny, teacher, tmp_path, monkeypatch, capsys):
    """A run that is killed and continued has the accuracy before, and the same end."""
    path, accuracy = teacher
    whole, continued = (
        tiny(pivot=path, output_dir=str(tmp_path / name), **ONE_EPOCH) for name in "ab"
    )
    summaries = [experiment.prepare(whole)()]
    for _ in range(2):
        assert begin(continued, monkeypatch) == []
        written = tmp_path / "b" / "pivot_before.json"
        assert from_json(written) == {"accuracy": pytest.approx(accuracy)}
        before = written.read_text()
        written.write_text("{")  # damaged: it is measured again
    written.write_text(before)
    capsys.readouterr()
    summaries.append(experiment.prepare(continued)())
    assert "comes trained" not in capsys.readouterr().out
    assert summaries[0]["members"] == summaries[1]["members"]
    ends = [(tmp_path / name / "history.csv").read_text() for name in "ab"]
    assert ends[0] == ends[1]
    written.write_text('{"accuracy": 0.0}')
    with pytest.raises(ValueError, match="pivot_before.json is damaged, or not of this run"):
        RunDirectory(tmp_path / "b").accuracy_before  # noqa: B018
    (tmp_path / "b" / "summary.json").unlink()
    hidden_network("any", 16, seed=1).save(path)
    with pytest.raises(ValueError, match="teacher.keras is not what it was when the run"):
        experiment.prepare(continued)


def stop(*_):
    raise KeyboardInterrupt


def begin(settings, monkeypatch):
    """Begins a run, and stops before anything learns; returns what is warned of."""
    with warnings.catch_warnings(record=True) as found, monkeypatch.context() as patch:
        warnings.simplefilter("always", UserWarning)
        patch.setattr(stage, "train", stop)
        with pytest.raises(KeyboardInterrupt):
            experiment.prepare(settings)()
    texts = [str(warning.message) for warning in found]
    return [text for text in texts if "smaller" not in text]  # than a student


@pytest.mark.parametrize("prefix", ["", "raw:"])
def test_a_teacher_with_rescaling_inside(tiny, images, tmp_path, monkeypatch, capsys, prefix):
    """It is at chance level where it does not get pixels, and the warning says how it gets them."""
    pixels, labels = images
    network = fitted_network(pixels / 255, labels, keras.layers.Rescaling(1 / 255))
    path = str(tmp_path / "teacher.keras")
    network.save(path)
    settings = tiny(pivot=prefix + path, output_dir=str(tmp_path / "run"), method="kd")
    warning = (
        f"{path} is no better than chance on the held-out images; it has a layer Rescaling, so it "
        f"may take pixels from 0 to 255, which --pivot=raw:{path} gives it."
    )
    assert begin(settings, monkeypatch) == [warning] * (not prefix)
    assert "It does not learn in the group." in capsys.readouterr().out


def test_weights_that_have_not_learnt(tiny, tmp_path, monkeypatch):
    hidden_network("hidden16", 16, seed=5).save(tmp_path / "pivot.keras")
    where = dict(pivot_weights=str(tmp_path / "pivot.keras"), output_dir=str(tmp_path / "run"))
    (warning,) = begin(tiny(**where), monkeypatch)
    assert "; check which images it takes, and the order of its classes." in warning


@pytest.mark.parametrize(
    "labels, answers, is_at_chance",
    [
        ([0, 1] * 10, [0, 1] * 5 + [1, 0] * 5, True),  # half are right
        ([0, 1] * 10, [0, 1] * 8 + [1, 0] * 2, False),  # 16 of 20: p = 0.006
        ([0, 1] * 10, [0, 1] * 7 + [1, 0] * 3, True),  # 14 of 20: p = 0.058
        ([0] * 16 + [1] * 4, [0] * 20, True),  # always the largest class: 80 % are right
        ([0] * 16 + [1] * 4, [0] * 16 + [1] * 4, False),
    ],
)
def test_chance_level_by_hand(labels, answers, is_at_chance):
    predictions = Predictions.from_logits(np.eye(2)[answers], labels)
    assert predictions.is_at_chance() == is_at_chance
