import contextlib
import os
import signal

import keras
import numpy as np
import pytest
from helpers.devices import replicas
from helpers.networks import IMAGE_SHAPE, hidden_network

import orc_keras
from orc_keras import data
from orc_keras.training.backup_and_restore import BackupAndRestore
from orc_keras.training.checkpoints import CheckpointManager
from orc_keras.training.signals import Stopped, StopSignals
from orc_keras.training.stage import finish_epoch

EPOCHS, STEPS = 3, 5


class Interrupt(Exception):
    """What ends a training as a kill would, but in this process."""


class At(keras.callbacks.Callback):
    """Calls a function once, after a step or in a validation."""

    def __init__(self, epoch, step, function, testing=False):
        super().__init__()
        self.place, self.function, self.testing = (epoch, step), function, testing

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if not self.testing and (self.epoch, batch + 1) == self.place:
            self.function()

    def on_test_batch_end(self, batch, logs=None):
        if self.testing and (self.epoch, batch + 1) == self.place:
            self.function()


def interrupt():
    raise Interrupt


def images():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, *IMAGE_SHAPE)).astype(np.uint8)
    split = data.PixelImages(pixels, rng.integers(0, 5, 40))
    return data.ImageData(split, split, tuple("abcde"), IMAGE_SHAPE, (0.5,), (0.3,), "crop")


def make_group():
    """One whose optimizers have momentum, and scale the loss by a number that rises."""
    pivot, *students = (hidden_network(f"hidden{width}", width, seed=width) for width in (9, 7, 5))
    group = orc_keras.OnlineRoleChange(pivot, students)
    inner = keras.optimizers.SGD(0.1, momentum=0.9)
    scaled = keras.optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=7)
    group.compile(scaled, run_eagerly=True)
    return group


def make_network(**compiled):
    """A network by itself, with its optimizer and metrics built."""
    network = hidden_network("alone", 8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"], **compiled)
    network.optimizer.build(network.trainable_variables)
    network.evaluate(data.held_out_batches(images(), 8).take(1), verbose=0)
    return network


def train(model, directory, every=(3, "steps"), callbacks=(), seed=0):
    directory.mkdir(exist_ok=True)
    saves = CheckpointManager(directory / "saves", "group")
    history = directory / "history.csv"
    with StopSignals() as signals:
        progress = BackupAndRestore(saves, STEPS, every, history, signals=signals)
        callbacks = [progress, keras.callbacks.CSVLogger(history, append=True), *callbacks]
        for until, steps in progress.fit_segments(EPOCHS):
            held_out = data.held_out_batches(images(), 16)
            if not steps:
                finish_epoch(model, progress.epoch, callbacks, held_out)
                continue
            model.fit(
                data.train_batches(images(), 8, seed, first_step=progress.first_step),
                initial_epoch=progress.epoch,
                epochs=until,
                steps_per_epoch=steps,
                validation_data=held_out,
                callbacks=callbacks,
                verbose=0,
            )
    return model


def assert_same(directory, other, first, second):
    assert (directory / "history.csv").read_text() == (other / "history.csv").read_text()
    for ours, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A directory and a network that was trained in one go."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, train(make_network(), directory)


@pytest.mark.parametrize(
    "every, places",
    [
        ((3, "steps"), [(0, 1), (1, 2), (2, 5)]),
        ((2, "epochs"), [(1, 5), (2, 3)]),
    ],
)
def test_interrupted_training_ends_as_if_it_had_not_been(whole, tmp_path, every, places):
    for place in places:
        with pytest.raises(Interrupt):
            train(make_network(), tmp_path, every, [At(*place, interrupt)])
    network = train(make_network(), tmp_path, every)
    assert_same(tmp_path, whole[0], network, whole[1])


def test_a_group_continues_with_all_of_its_members(tmp_path):
    """Each one's weights, momentum and loss scale; in the middle of an epoch."""
    first = train(make_group(), tmp_path / "first")
    with pytest.raises(Interrupt):
        train(make_group(), tmp_path / "second", callbacks=[At(1, 3, interrupt)])
    second = train(make_group(), tmp_path / "second")
    assert_same(tmp_path / "first", tmp_path / "second", first, second)
    assert int(second.role_record.mini_batches.numpy()) == EPOCHS * STEPS
    for ours, theirs in zip(first.optimizers.values(), second.optimizers.values()):
        for variable, other in zip(ours.variables, theirs.variables, strict=True):
            np.testing.assert_array_equal(variable, other)
    assert first.optimizer.dynamic_scale.numpy() > first.optimizer.initial_scale


def test_several_steps_in_one_execution(whole, tmp_path):
    for places in ([At(1, 5, interrupt)], []):
        with pytest.raises(Interrupt) if places else contextlib.nullcontext():
            network = make_network(steps_per_execution=5)
            train(network, tmp_path, (5, "steps"), places)
    assert_same(tmp_path, whole[0], network, whole[1])


@pytest.mark.parametrize("before, after", [(2, 1), pytest.param(1, 2, marks=pytest.mark.slow)])
def test_another_number_of_replicas(whole, tmp_path, before, after):
    """Metrics are sums over replicas, of which each must count once.

    (A group itself learns otherwise there: its feedback comes from each replica's images.)
    """

    def network(number):
        with replicas(number).scope():
            return make_network()

    with pytest.raises(Interrupt):
        train(network(before), tmp_path, callbacks=[At(1, 4, interrupt)])
    continued = train(network(after), tmp_path)
    for ours, theirs in zip(whole[1].trainable_weights, continued.trainable_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    rows = [
        np.loadtxt(directory / "history.csv", delimiter=",", skiprows=1)
        for directory in (whole[0], tmp_path)
    ]
    np.testing.assert_allclose(*rows, rtol=1e-4)


def test_a_finished_training_is_restored_and_nothing_is_trained(whole, tmp_path):
    train(make_network(), tmp_path)
    again = train(make_network(), tmp_path, callbacks=[At(2, STEPS, interrupt)])
    assert_same(tmp_path, whole[0], again, whole[1])


@pytest.mark.parametrize(
    "number, epoch, step, testing",
    [
        (signal.SIGTERM, 1, 2, True),
        (signal.SIGINT, 1, STEPS, False),
    ],
)
def test_a_signal_saves_where_training_is(whole, tmp_path, number, epoch, step, testing):
    """Even in the validation, which must then be made once more."""
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    send = At(epoch, step, lambda: os.kill(os.getpid(), number), testing)
    with pytest.raises(Stopped, match=f"stopped by {number.name}") as stopped:
        train(make_network(), tmp_path, (1000, "steps"), [send])
    assert handlers == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    saved = CheckpointManager(tmp_path / "saves", "group").read()[:2]
    assert saved == (stopped.value.epoch, stopped.value.step)
    assert saved >= (epoch, STEPS if testing else step)
    network = train(make_network(), tmp_path)
    assert_same(tmp_path, whole[0], network, whole[1])


def test_a_damaged_save_is_named_and_the_one_before_is_used(whole, tmp_path, capsys):
    with pytest.raises(Interrupt):
        train(make_network(), tmp_path, callbacks=[At(1, 3, interrupt)])
    newest = max((tmp_path / "saves").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    network = train(make_network(), tmp_path)
    assert (
        f"{newest} is damaged, or of another training, and is not used." in capsys.readouterr().out
    )
    assert_same(tmp_path, whole[0], network, whole[1])


def test_wrong_use(tmp_path):
    saves = CheckpointManager(tmp_path / "saves", "group")
    for every in ((0, "steps"), (3, "minutes")):
        with pytest.raises(ValueError, match=r"every must be like \(500, "):
            BackupAndRestore(saves, STEPS, every, tmp_path / "history.csv")
    train(make_network(), tmp_path)
    with pytest.raises(ValueError, match="The checkpoint is not one of this model"):
        train(make_group(), tmp_path)
    progress = BackupAndRestore(saves, STEPS, (1, "epochs"), tmp_path / "history.csv")
    arguments = {"callbacks": [progress], "steps_per_epoch": STEPS, "epochs": 5, "verbose": 0}
    with pytest.raises(ValueError, match="must be given initial_epoch=3, not 0"):
        make_network().fit(data.train_batches(images(), 8, 0), **arguments)


def test_what_is_not_built_cannot_be_restored(tmp_path):
    train(make_network(), tmp_path)
    network = hidden_network("alone", 8)
    network.compile("adam", "mse")
    with pytest.raises(ValueError, match="have to be built before `fit`"):
        train(network, tmp_path)
