"""Whether two runs, or two comparisons, ended equal to the bit."""

import csv
import io
import json
import zipfile

import h5py
import numpy as np

from orc_keras import command_line
from orc_keras.training.stage import saves_of

NETWORKS = ("student.keras", "checkpoints/group.keras", "checkpoints/pivot.keras")
THERE = ("student/saved_model.pb", "student/README.md", "student.tflite", "report/report.html")
UNFINISHED = "**/unfinished-*"


def differences(whole, other):
    """Compares a finished run with another one.

    Args:
        whole: the directory of a run that was not killed.
        other: that of the same run, killed and continued.

    Returns:
        A sentence for each difference, a list; and how many numbers were compared.
    """
    ours, theirs = contents(whole), contents(other)
    found = [
        f"{other / name} is there in one of the two only." for name in ours.keys() ^ theirs.keys()
    ]
    for name in ours.keys() & theirs.keys():
        found += _unequal(other / name, ours[name], theirs[name])
    found += [f"{other / name} is not there." for name in THERE if not (other / name).exists()]
    left = other.glob(UNFINISHED)
    found += [f"{path} was left behind." for path in left]
    return found, sum(np.size(value) for values in ours.values() for value in values.values())


def contents(run):
    """Returns all values of a run that are to be equal, by file and name."""
    there = _last_saves(run)
    there |= {path.name: {"": path.read_bytes()} for path in run.glob("*history.csv")}
    there |= {name: _network(run / name) for name in NETWORKS if (run / name).exists()}
    for name in ("roles.npy", "evaluation.npz"):
        if (run / name).exists():
            there[name] = _arrays(run / name)
    if (run / "summary.json").exists():
        summary = json.loads((run / "summary.json").read_text())
        there["summary.json"] = {name: json.dumps(m) for name, m in summary["members"].items()}
    return there


def table_differences(whole, other):
    """Compares the tables of two comparisons, all but the speed, as `differences` does."""
    found = []
    for name in ("results.csv", "runs.csv"):
        ours, theirs = _rows(whole / name), _rows(other / name)
        found += [f"{other / name}: {a} became {b}." for a, b in zip(ours, theirs) if a != b]
        found += [f"{other / name}: other rows."] if len(ours) != len(theirs) else []
    return found


def _last_saves(run):
    """Returns the values of the last save of each stage, by its name."""
    settings = command_line.from_text((run / "settings.flags").read_text())
    there = {}
    for stage in sorted({path.name.split("-")[0] for path in run.glob("checkpoints/*-*-*")}):
        epoch, step, values = saves_of(settings, run, stage).read()
        values = values or {}  # if none of them can be read
        there[f"checkpoints/{stage}, epoch {epoch}, step {step}"] = {
            name: value for name, value in values.items() if name != "seconds"
        }
    return there


def _network(path):
    """Returns the arrays of a `.keras` file."""
    values = {}
    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as file:

        def add(name, what):
            if isinstance(what, h5py.Dataset):
                values[name] = what[()]

        file.visititems(add)
    return values


def _arrays(path):
    loaded = np.load(path)
    return {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)


def _unequal(path, ours, theirs):
    """Returns a sentence that says which values differ, or nothing."""
    names = ours.keys() | theirs.keys()
    alike = {n for n in ours.keys() & theirs.keys() if _is_equal(ours[n], theirs[n])}
    if names == alike:
        return []
    few = ", ".join(filter(None, sorted(names - alike)[:3]))
    return [f"{path}: {len(names - alike)} of {len(names)} values differ. {few}".strip()]


def _is_equal(one, other):
    one, other = np.asarray(one), np.asarray(other)
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    if one.dtype == object:  # strings
        return one.tolist() == other.tolist()
    return one.tobytes() == other.tobytes()  # so NaN is NaN, and 0 is not -0


def _rows(path):
    with open(path, newline="") as file:
        return [{k: v for k, v in row.items() if k != "speed"} for row in csv.DictReader(file)]
