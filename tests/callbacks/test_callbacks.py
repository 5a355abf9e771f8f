import io
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.devices import replicas
from helpers.networks import hidden_group_members
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import orc_keras
from orc_keras import callbacks


def _every_callback(directory):
    c = keras.callbacks
    return [
        c.BackupAndRestore(directory / "backup"),
        c.CSVLogger(directory / "history.csv"),
        c.EarlyStopping("val_loss", patience=5, restore_best_weights=True),
        c.LambdaCallback(on_epoch_end=lambda epoch, logs: logs["loss"]),
        c.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
        c.ModelCheckpoint(directory / "{epoch}.keras"),
        c.ModelCheckpoint(directory / "{epoch}.weights.h5", save_weights_only=True),
        c.ReduceLROnPlateau("loss", factor=0.5, patience=0, min_delta=1e9),
        c.TensorBoard(directory / "tensorboard"),
        c.TerminateOnNaN(),
        callbacks.GroupTensorBoard(directory / "board"),
        callbacks.RoleHistory(directory / "roles.npy"),
        callbacks.StopOnNonFiniteLoss(),
        callbacks.StudentProgress(),
        callbacks.Throughput(),
    ]


def test_every_callback_works(group, examples, tmp_path):
    every = _every_callback(tmp_path)
    fit = dict(batch_size=20, epochs=2, verbose=0, validation_data=examples, callbacks=every)
    assert len(group.fit(*examples, **fit).history["loss"]) == 2


def test_the_progress_bar_shows_the_student_only(group, examples, capsys):
    group.fit(*examples, validation_data=examples)
    printed = capsys.readouterr().out
    assert "val_accuracy" in printed and "val_loss" in printed
    assert "large" not in printed and "taught" not in printed
    group.fit(*examples, callbacks=keras.callbacks.ProgbarLogger())
    assert "large_taught" in capsys.readouterr().out
    group.evaluate(*examples)
    assert "large" not in capsys.readouterr().out
    group.fit(*examples, verbose=0)
    assert capsys.readouterr().out == ""


def test_a_loss_that_is_not_finite_is_named(group, examples, tmp_path):
    """The first checkpoint stays; the error names member and epoch."""
    images, labels = examples

    class Diverge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kernel = self.model.members["middle"].layers[-1].kernel
            kernel.assign(np.nan * kernel)

    checkpoint = tmp_path / "{epoch}.keras"
    with pytest.raises(callbacks.NonFiniteLoss, match="loss of middle .* in epoch 2"):
        group.fit(
            images,
            labels,
            batch_size=8,
            epochs=2,
            verbose=0,
            callbacks=[
                callbacks.StopOnNonFiniteLoss(),
                keras.callbacks.ModelCheckpoint(checkpoint),
                Diverge(),
            ],
        )
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    assert all(np.isfinite(w).all() for w in loaded.get_weights())
    assert not (tmp_path / "2.keras").exists()


class Recorder(keras.callbacks.Callback):
    """Notes who taught in each mini-batch, one at a time."""

    def __init__(self):
        super().__init__()
        self.roles = []

    def on_train_batch_end(self, batch, logs=None):
        self.roles.append(self.model.role_record.recent_teachers.numpy()[-1])


def changing_group(k=1, number=1, steps=1):
    """A group that cannot learn its labels, and so changes roles all the time."""
    with replicas(number).scope():
        group = orc_keras.OnlineRoleChange(*hidden_group_members(), num_temporary_teachers=k)
        group.compile(keras.optimizers.SGD(1.0), steps_per_execution=steps)
    return group


@pytest.mark.parametrize("k, number, steps", [(2, 1, 5), (1, 2, 1)])
def test_the_role_history_is_whole(batches, tmp_path, monkeypatch, k, number, steps):
    """Whatever the steps of an execution, the replicas, and how often it looks."""
    monkeypatch.setattr(callbacks.role_history, "LOOK_EVERY", 5)
    recorder, history = Recorder(), callbacks.RoleHistory(tmp_path / "roles.npy")
    one_by_one = [recorder, history] if steps == 1 else [recorder]
    changing_group(k, number).fit(batches, epochs=2, verbose=0, callbacks=one_by_one)
    if steps > 1:
        changing_group(k, number, steps).fit(batches, epochs=2, verbose=0, callbacks=[history])
    roles = np.load(tmp_path / "roles.npy")
    assert (tmp_path / "roles.npy").stat().st_size == 128 + 20 * k and roles.dtype == np.uint8
    assert len(np.unique(roles, axis=0)) > 1
    np.testing.assert_array_equal(roles, recorder.roles)


def test_the_role_history_continues_where_training_does(batches, tmp_path):
    """Behind BackupAndRestore: what came after the save is forgotten and made again."""
    path, backup = tmp_path / "roles.npy", keras.callbacks.BackupAndRestore(tmp_path / "backup")
    group = changing_group()
    group.fit(batches, epochs=1, verbose=0, callbacks=[callbacks.RoleHistory(path)])
    group.save(tmp_path / "group.keras")
    first = np.load(path)
    group.fit(batches, epochs=2, verbose=0, callbacks=[backup, callbacks.RoleHistory(path)])
    both = np.load(path)
    assert both.shape == (30, 1)
    np.testing.assert_array_equal(both[:10], first)
    group = keras.saving.load_model(tmp_path / "group.keras")
    group.fit(batches, epochs=1, verbose=0, callbacks=[callbacks.RoleHistory(path)])
    np.testing.assert_array_equal(np.load(path), both[:20])


def test_a_lost_role_history_says_what_it_does_not_know(batches, tmp_path, monkeypatch):
    monkeypatch.setattr(orc_keras.groups.role_record, "REMEMBERED", 15)
    path, group = tmp_path / "roles.npy", changing_group()
    fit = dict(verbose=0, callbacks=[callbacks.RoleHistory(path)])
    group.fit(batches, epochs=2, **fit)
    known, foreign = np.load(path), io.BytesIO()
    np.save(foreign, 2 - known)  # of another training
    for damage in (b"", b"nonsense", b"PK\x03\x04", b"\x93NUMPY\x01\x00", foreign.getvalue(), None):
        path.unlink() if damage is None else path.write_bytes(damage)
        group.role_record.mini_batches.assign(20)
        group.role_record.recent_teachers.assign(known[-15:])
        group.fit(batches, **fit)
        roles = np.load(path)
        assert roles.shape == (30, 1) and (roles[:5] == 255).all()
        np.testing.assert_array_equal(roles[5:20], known[5:])


def test_a_role_history_of_what_has_no_roles(batches, tmp_path):
    network = hidden_group_members()[0]
    network.compile("sgd", "mse")
    roles = callbacks.RoleHistory(tmp_path / "roles.npy")
    with pytest.raises(ValueError, match="for groups whose roles change, not <Functional name=pi"):
        network.fit(batches, verbose=0, callbacks=[roles])
    with pytest.raises(ValueError, match="steps_per_execution to be at most 512, not 600"):
        changing_group(steps=600).fit(batches, verbose=0, callbacks=[roles])


def test_all_members_share_tensorboards_charts(batches, group, tmp_path):
    board = callbacks.GroupTensorBoard(tmp_path)
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)
    fit = dict(epochs=2, verbose=0, validation_data=batches)
    history = group.fit(batches, callbacks=[rate, board], **fit).history
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*group.members, "training"])
    shown = {}
    for path in tmp_path.iterdir():
        events = EventAccumulator(str(path)).Reload()
        for tag in events.Tags()["tensors"]:
            values = [tf.make_ndarray(e.tensor_proto) for e in events.Tensors(tag)]
            shown[path.name, tag] = values
    curves = {f"{q}/{where}" for q in ("loss", "accuracy") for where in ("training", "held_out")}
    assert {tag for run, tag in shown if run == "large"} == curves | {"taught"}
    assert {tag for run, tag in shown if run == "pivot"} == curves
    assert {tag for run, tag in shown if run == "training"} == {
        *(f"training/{teaching}_teaching" for teaching in ("intensive", "private", "group")),
        *("training/confidence_gap", "training/learning_rate"),
    }
    assert shown["small", "accuracy/held_out"] == pytest.approx(history["val_accuracy"])
    assert shown["middle", "loss/training"] == pytest.approx(history["middle_loss"])


@pytest.mark.parametrize("slow", ["input", "step"])
def test_waiting_is_for_input_only(examples, slow):
    """Twenty mini-batches; either each takes 50 ms to come, or each step 50 ms after it has."""

    def nap(x):
        time.sleep(0.05)
        return x

    def slowly(labels):
        return tf.ensure_shape(tf.numpy_function(nap, [labels], tf.int32), labels.shape)

    class SlowStep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            nap(batch)

    images, labels = examples
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
    if slow == "input":
        batches = batches.map(lambda x, y: (x, slowly(y)))
    network = hidden_group_members()[0]
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    throughput = callbacks.Throughput()
    steps = [SlowStep()] if slow == "step" else []
    fit = dict(epochs=2, verbose=0, callbacks=[throughput, *steps], validation_data=examples)
    history = network.fit(throughput.timed(batches), **fit).history
    waiting, rate = history["seconds_waiting"][1], history["images_per_second"][1]
    assert 0 < rate < 80  # images in at least a second
    assert waiting >= 1 if slow == "input" else waiting < 0.5 * 80 / rate


def test_an_epoch_without_a_mini_batch(batches):
    network = hidden_group_members()[0]
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    throughput = callbacks.Throughput()
    every = [throughput, callbacks.StopOnNonFiniteLoss()]
    with pytest.warns(UserWarning, match="ran out of data"):
        history = network.fit(throughput.timed(batches.take(0)), verbose=0, callbacks=every).history
    assert history["images_per_second"] == [0]


def test_images_are_counted_in_any_structure(batches):
    """In dictionaries, and without labels."""
    for named in (
        batches.map(lambda x, y: {"images": x, "labels": y}),
        batches.map(lambda x, _: x),
    ):
        throughput = callbacks.Throughput()
        for batch in throughput.timed(named):
            assert type(batch) is type(next(iter(named)))
        logs = {}
        throughput.on_epoch_begin(0)
        throughput._ended += 1
        throughput.on_epoch_end(0, logs)
        assert logs["images_per_second"] == pytest.approx(80)
