import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from orc_keras import callbacks


def _every_callback(directory):
    c = keras.callbacks
    return [
        c.BackupAndRestore(directory / "backup"),
        c.CSVLogger(directory / "history.csv"),
        c.EarlyStopping("val_large_loss", patience=5, restore_best_weights=True),
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
    with pytest.raises(callbacks.NonFiniteLoss, match="middle_loss: .* in epoch 2"):
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


def test_damaged_weights_of_the_best_epoch_are_named(group, examples, tmp_path):
    stopping = callbacks.EarlyStopping(1, tmp_path / "best.weights.h5")
    group.fit(*examples, validation_data=examples, verbose=0, callbacks=[stopping])
    contents = (tmp_path / "best.weights.h5").read_bytes()
    (tmp_path / "best.weights.h5").write_bytes(contents[: len(contents) // 2])
    with pytest.raises(ValueError, match=f"{tmp_path}/best.weights.h5 is damaged"):
        stopping.restore_best()


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
