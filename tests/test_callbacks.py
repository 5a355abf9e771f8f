import keras
import numpy as np
import pytest

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
        callbacks.StopOnNonFiniteLoss(),
        callbacks.StudentProgress(),
    ]


@pytest.mark.parametrize("position", range(12))
def test_every_callback_works(group, examples, tmp_path, position):
    callback = _every_callback(tmp_path)[position]
    history = group.fit(
        *examples, batch_size=20, epochs=2, verbose=0, validation_data=examples, callbacks=callback
    )
    assert len(history.history["loss"]) == 2


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


@pytest.mark.parametrize("epoch, step", [(0, 3), (2, 23)])
def test_the_step_of_data_whose_end_is_unknown(group, batches, epoch, step):
    class Diverge(keras.callbacks.Callback):
        def on_epoch_begin(self, number, logs=None):
            self.epoch = number

        def on_train_batch_begin(self, batch, logs=None):
            if (self.epoch, batch) == (epoch, 2):
                kernel = self.model.members["middle"].layers[-1].kernel
                kernel.assign(np.nan * kernel)

    unknown = batches.filter(lambda *_: True)
    with pytest.raises(callbacks.NonFiniteLoss, match=f"loss of middle .* at step {step};"):
        stop = [Diverge(), callbacks.StopOnNonFiniteLoss()]
        group.fit(unknown, epochs=3, verbose=0, callbacks=stop)


def test_a_loss_that_is_not_finite_is_named(group, examples, tmp_path):
    """The first checkpoint stays; the error names member and step."""
    images, labels = examples

    class Diverge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kernel = self.model.members["middle"].layers[-1].kernel
            kernel.assign(np.nan * kernel)

    checkpoint = tmp_path / "{epoch}.keras"
    with pytest.raises(callbacks.NonFiniteLoss, match="loss of middle .* at step 11"):
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
