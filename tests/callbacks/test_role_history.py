"""Who taught in each mini-batch, in a file."""

import io

import keras
import numpy as np
import pytest
from helpers.devices import replicas
from helpers.networks import hidden_group_members

import orc_keras
from orc_keras import callbacks


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
        pivot, students = hidden_group_members()
        group = orc_keras.OnlineRoleChange(pivot, students, num_temporary_teachers=k)
        group.compile(keras.optimizers.SGD(1.0), steps_per_execution=steps)
    return group


@pytest.mark.parametrize(
    "k, number, steps", [(2, 1, 5), pytest.param(1, 2, 1, marks=pytest.mark.slow)]
)
def test_the_role_history_is_whole(batches, tmp_path, monkeypatch, k, number, steps):
    """Whatever the steps of an execution, the replicas, and how often it looks."""
    monkeypatch.setattr(callbacks.role_history, "WRITE_EVERY", 5)
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
