"""The line that says how far training is, by a clock of the test's own."""

import sys
import types

import pytest

from orc_keras.callbacks import ProgressLine, progress_line


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    clock = types.SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: clock.now)
    return clock


def line(**arguments):
    callback = ProgressLine(epochs=3, steps_per_epoch=100, batch_size=32, **arguments)
    callback.set_model(types.SimpleNamespace(learners=["a", "b"], student_names=["b"]))
    return callback


def step(callback, clock, batch, seconds, logs=None):
    clock.now += seconds
    callback.on_train_batch_end(batch, logs)


def test_an_hour_of_training(clock, capsys):
    """The first step takes 20 s, others 1 s, each evaluation 10 s: then 299 are left of 300."""
    callback = line()
    callback.on_epoch_begin(0)
    callback.on_train_batch_begin(0)
    assert capsys.readouterr().out == "Compiling the step; the first one takes a while.\n"
    step(callback, clock, 0, 20)
    callback.on_train_batch_begin(1)
    for batch in range(1, 100):
        step(callback, clock, batch, 1, {"accuracy": 0.5, "loss": 2.0})
    within = capsys.readouterr().out.splitlines()
    assert within == [
        "epoch 1 of 3, step 42 of 100: accuracy 50.00%, 32 images/s, 1:01 gone, 4:18 left"
    ]
    clock.now += 10
    callback.on_epoch_end(0, {"accuracy": 0.5, "loss": 2.0, "val_accuracy": 0.25})
    pace = 109 / 99
    minutes, seconds = divmod(round(200 * pace), 60)
    assert capsys.readouterr().out == (
        f"epoch 1 of 3: accuracy 50.00%, held out 25.00%, {32 / pace:.0f} images/s, 2:09 gone, "
        f"{minutes}:{seconds:02} left\n"
    )


def test_training_that_continues_on_a_terminal(clock, capsys, monkeypatch):
    """From step 150 of 300, after a day and an hour; a line has what the bar does not say."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    callback = line(first_step=150, seconds=90_000.0)
    callback.on_epoch_begin(1)
    for batch in range(50):
        step(callback, clock, batch, 2)
    capsys.readouterr()
    callback.on_epoch_end(1, {})
    assert capsys.readouterr().out == "1 d 1:01:40 gone, 3:20 left\n"
