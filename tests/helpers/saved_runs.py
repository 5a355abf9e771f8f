"""Tiny runs that save often: their flags, and what they end with."""

import numpy as np

FLAGS = [
    "--dataset=digits",
    "--pivot=hidden32",
    "--students=hidden16,hidden8",
    "--pivot_epochs=1",
    "--epochs=2",
    "--decay_epochs=1",
    "--batch_size=128",
    "--crop_flip=crop_and_flip",
    "--save_every=3 steps",
    "--deterministic",
]
STEPS = 11  # of an epoch
LAST = ("pivot-000001-00000000.npz", "group-000002-00000000.npz")


def end(directory):
    """What a run ended with: the last save of each stage, and the histories."""
    saves = [np.load(directory / "checkpoints" / name) for name in LAST]
    values = [{name: save[name] for name in save.files if name != "seconds"} for save in saves]
    return values, [(directory / n).read_text() for n in ("pivot_history.csv", "history.csv")]


def assert_same_end(directory, other, tolerance=0):
    """Compares everything that training consists of, and the histories, to the bit if need be."""
    (values, histories), (other_values, other_histories) = end(directory), end(other)
    for ours, theirs in zip(histories, other_histories):
        np.testing.assert_allclose(rows(ours), rows(theirs), rtol=tolerance)
    for ours, theirs in zip(values, other_values):
        assert len(ours) > 20 and ours.keys() == theirs.keys()
        for name in ours.keys() - {"history"}:
            np.testing.assert_allclose(
                ours[name], theirs[name], rtol=0, atol=tolerance, err_msg=name
            )
    np.testing.assert_array_equal(*(np.load(path / "roles.npy") for path in (directory, other)))
    for name in ("student.keras", "checkpoints/group.keras", "summary.json", "student"):
        assert (directory / name).exists()


def rows(history):
    return np.genfromtxt(history.splitlines(), delimiter=",", names=True).tolist()


def saves(directory):
    return {path.name for path in directory.glob("checkpoints/*-0*.npz")}
