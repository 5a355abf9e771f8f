import itertools
import os
import resource
import signal

import numpy as np
import pytest

from orc_keras.files import UNFINISHED
from orc_keras.training.checkpoints import CheckpointManager

VALUES = {
    "weights": np.arange(12, dtype=np.float32).reshape(3, 4),
    "half": np.ones(3, np.float16),
    "count": np.int64(7),
    "history": b"epoch,loss\n0,1.5\n",
}


@pytest.fixture
def saves(tmp_path):
    return CheckpointManager(tmp_path / "saves", "group", max_to_keep=3)


def names(saves):
    return sorted(path.name for path in saves._directory.iterdir())


def assert_read(saves, epoch, step, values=VALUES):
    read_epoch, read_step, read = saves.read()
    assert (read_epoch, read_step) == (epoch, step)
    assert read.keys() == values.keys()
    for name in values:
        np.testing.assert_array_equal(read[name], values[name])
        assert np.asarray(read[name]).dtype.kind == np.asarray(values[name]).dtype.kind


def test_what_is_written_is_read(saves):
    assert saves.read() == (0, 0, None)
    saves.write(2, 30, VALUES)
    assert_read(saves, 2, 30)


def test_the_newest_is_read_and_the_oldest_are_deleted(saves):
    for epoch, step in ((0, 5), (0, 10), (1, 0), (9, 3), (10, 2)):
        saves.write(epoch, step, VALUES | {"count": np.int64(step)})
    assert_read(saves, 10, 2, VALUES | {"count": np.int64(2)})
    assert names(saves) == [
        f"group-{name}.npz" for name in ("000001-00000000", "000009-00000003", "000010-00000002")
    ]


def test_stages_do_not_touch_each_other(saves):
    pivot = CheckpointManager(saves._directory, "pivot", max_to_keep=1)
    pivot.write(5, 0, VALUES)
    saves.write(1, 0, VALUES)
    pivot.write(6, 0, VALUES)
    assert_read(saves, 1, 0)
    assert_read(pivot, 6, 0)


def test_a_save_can_be_written_again(saves):
    saves.write(1, 0, {"a": np.zeros(2)})
    saves.write(1, 0, VALUES)
    assert_read(saves, 1, 0)


def test_every_kind_of_damage_is_found(saves, capsys):
    """A bit flipped anywhere, bytes missing, bytes too many, no bytes."""
    saves.write(1, 0, VALUES)
    saves.write(2, 0, VALUES)
    path = saves._directory / "group-000002-00000000.npz"
    whole = path.read_bytes()
    places = range(0, len(whole), max(1, len(whole) // 40))
    damaged = [whole[:p] + bytes([whole[p] ^ 1]) + whole[p + 1 :] for p in places]
    for contents in (*damaged, whole[:-1], whole[: len(whole) // 2], whole + b"0", b""):
        path.write_bytes(contents)
        assert_read(saves, 1, 0)
        printed = capsys.readouterr().out
        assert printed == f"{path} is damaged, or of another training, and is not used.\n"
    path.write_bytes(whole)
    assert_read(saves, 2, 0)


def test_no_save_is_whole(saves, capsys):
    saves.write(1, 0, VALUES)
    (saves._directory / "group-000001-00000000.npz").write_bytes(b"")
    assert saves.read() == (0, 0, None)
    assert "group-000001-00000000.npz is damaged" in capsys.readouterr().out


def test_damaged_saves_give_way_to_new_ones(saves):
    for epoch in (17, 18, 19):
        saves.write(epoch, 0, VALUES)
    for epoch in (18, 19):
        (saves._directory / f"group-0000{epoch}-00000000.npz").write_bytes(b"")
    assert_read(saves, 17, 0)
    saves.write(17, 5, VALUES)
    assert names(saves) == ["group-000017-00000000.npz", "group-000017-00000005.npz"]
    assert_read(saves, 17, 5)


def test_what_a_kill_left_behind_is_deleted(saves):
    saves._directory.mkdir()
    (saves._directory / f"{UNFINISHED}group-000001-00000000.npz").touch()
    saves.write(2, 0, VALUES)
    assert names(saves) == ["group-000002-00000000.npz"]


def test_at_least_one_save_is_kept():
    with pytest.raises(ValueError, match="keep must be a whole number, 1 or more, not 0"):
        CheckpointManager("anywhere", "group", max_to_keep=0)


def write_until_killed(saves, calls):
    """In a process of its own, which is killed before one of its calls of the system."""
    calls = itertools.count(-calls)

    def counted(function):
        def call(*args, **kwargs):
            if next(calls) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for name in ("mkdir", "fsync", "rename", "replace", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
    step = saves.read()[1]
    while True:
        step += 1
        saves.write(0, step, {"values": np.full(1000, step)})


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_whole_saves(saves, capsys):
    """Each process gets a call further than the one before it, through several saves."""
    steps = [0]
    for calls in range(30):
        process = os.fork()
        if not process:
            write_until_killed(saves, calls)
        os.waitpid(process, 0)
        _, step, values = saves.read()
        assert step >= steps[-1] and (values is None or (values["values"] == step).all())
        steps.append(step)
    assert steps[-1] > 10
    assert capsys.readouterr().out == "", "no save was damaged"


def test_a_disk_that_is_full(saves):
    """A limit on the length of files stands for it: `write` fails in the same way."""
    saves.write(1, 0, VALUES)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(
            OSError, match="group-000002-00000000.npz cannot be written: File too large"
        ):
            saves.write(2, 0, {"large": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_read(saves, 1, 0)
    assert names(saves) == ["group-000001-00000000.npz"]


def test_a_place_that_cannot_be_written():
    with pytest.raises(
        OSError, match="/proc/saves/group-000001-00000000.npz cannot be written: No such"
    ):
        CheckpointManager("/proc/saves", "group").write(1, 0, VALUES)
