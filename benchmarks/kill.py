"""Kills runs and continues them: python benchmarks/kill.py

Runs of train.py with tiny networks, deterministic and with a checkpoint every three steps, get
SIGKILL or SIGTERM at drawn moments: after a step of training or of an evaluation, before a file is
renamed to its name, or after some seconds. Every other run is on a folder of photos, of which a
damaged one is skipped, with a pivot that comes trained. The same command continues a run until it
ends. Its histories, roles, evaluation, last checkpoints, notes of the images and of the pivot, and
the weights of every `.keras` file are compared, to the bit, with those of a run that nothing
stopped. The exit status is 1 if one did not continue, or differs.
"""

import collections
import io
import os
import random
import signal
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import common
import h5py
import numpy as np
from absl import flags
from helpers import folders
from helpers.networks import hidden_network
from helpers.saved_runs import FLAGS, LAST, STEPS
from helpers.tiny_run import TinyRuns

from orc_keras.files import UNFINISHED
from orc_keras.formatting import markdown_table

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
ENDS = (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM)  # exit codes of a stopped run
EVENTS = ("step", "test", "rename", "seconds")
NEVER_RENAMED = ("settings.flags", "checkpoints", "tensorboard")
NOTES = ("data.json", "sources.json", "pivot_before.json")
COMPARED = ("*history.csv", "*.np?", "*.keras", "checkpoints/*.keras", *NOTES)


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_integer("kills", 100, "How often to stop a run, in all.", 1, **to)
    flags.DEFINE_integer("seed", 0, "Of the moments.", 0, **to)


def main(values, _=()):
    rng, kills, problems = random.Random(values.seed), collections.Counter(), []
    with tempfile.TemporaryDirectory(prefix="kill-") as folder, TinyRuns() as runs:
        folder, number = Path(folder), 0
        wholes = [
            Whole(runs, folder / "digits", FLAGS),
            Whole(runs, folder / "photos", flags_of_photos(folder)),
        ]
        while kills.total() < values.kills:
            whole, number = wholes[number % len(wholes)], number + 1
            run = folder / f"run{number}"
            found = kill(runs, run, whole, rng, kills, values.kills)
            found += differences(whole.directory, run)
            problems += [f"run {number}: {problem}" for problem in found]
            print(f"run {number}: {kills.total()} kills, {'; '.join(found) or 'equal'}", flush=True)
        report(kills, number, [len(values_of(whole.directory)) for whole in wholes], problems)
    if problems:
        sys.exit(1)


def flags_of_photos(folder):
    """Writes photos, a damaged one among them, and a trained pivot; returns the flags of a run."""
    photos = folders.fill(folder / "images", number=4 * STEPS)
    (photos / "train" / "cat" / "damaged.png").write_bytes(b"no image")
    teacher = folder / "teacher.keras"
    hidden_network("teacher", 32, image_shape=(12, 16, 3), num_classes=2).save(teacher)
    own = (f"--dataset=folder:{photos}", f"--pivot={teacher}", "--skip_damaged", "--batch_size=8")
    return [*FLAGS, *own]


class Whole:
    """A run that nothing stops, and the moments at which others like it can be stopped.

    Args:
        runs: `TinyRuns`.
        directory: to write.
        flags_of_run: of train.py, without the directory.
    """

    def __init__(self, runs, directory, flags_of_run):
        self.directory, self.flags, began = directory, flags_of_run, time.monotonic()
        code, printed = runs.run(*flags_of_run, f"--output_dir={directory}")
        if code:
            raise ValueError(f"the run that nothing stops fails: {printed}")
        self._seconds = time.monotonic() - began
        paths = [*directory.iterdir(), *(directory / "checkpoints").iterdir()]
        names = sorted(str(path.relative_to(directory)) for path in paths)
        self._names = [name for name in names if name not in NEVER_RENAMED]

    def draw(self, run, rng):
        """Returns a moment in what the run in this directory has left to do, and a signal.

        The moment is as `TinyRuns.start` takes it, or a number of seconds.
        """
        names = [name for name in self._names if not (run / name).exists()]
        is_trained = "checkpoints/group.keras" not in names
        event = rng.choice(EVENTS[2:] if is_trained else EVENTS)
        when = {
            "step": rng.randint(1, STEPS),
            "test": rng.randint(1, 3),
            "rename": Path(rng.choice(names or self._names)).name,
            "seconds": rng.uniform(0, 0.5 * self._seconds),
        }
        return event, when[event], rng.choice(SIGNALS)


def kill(runs, directory, whole, rng, kills, most):
    """Stops and continues a run until it ends; returns a list of what went wrong.

    Args:
        runs: `TinyRuns`.
        directory: of the run.
        whole: `Whole`, of the same flags.
        rng: `random.Random`.
        kills: a `Counter` of events and signals, which is added to.
        most: how many there are to be in all; then the run is left to end.
    """
    code = None
    while code != 0:
        is_last = kills.total() == most
        event, when, number = (None, None, None) if is_last else whole.draw(directory, rng)
        code, printed = _run(runs, whole.flags, directory, event, when, number)
        if code in ENDS and not is_last:
            kills[event, signal.Signals(number).name] += 1
        if (code and (code not in ENDS or is_last)) or "Traceback" in printed:
            return [f"exit status {code} after {event} {when}: {printed[-500:]}"]
    return []


def _run(runs, flags_of_run, directory, event, when, number):
    flags_of_run = (*flags_of_run, f"--output_dir={directory}")
    if event != "seconds":
        return runs.run(*flags_of_run, at=event and (event, when, number))
    process = runs.start(*flags_of_run)
    time.sleep(when)
    os.kill(process, number)  # if it has ended, it still waits to be reaped
    return runs.wait(process)


def differences(whole, run):
    """Returns a list of what differs between two finished runs."""
    ours, theirs = values_of(run), values_of(whole)
    names = [name for name in sorted(ours | theirs) if ours.get(name) != theirs.get(name)]
    found = [f"{len(names)} arrays differ, such as {names[0]}"] if names else []
    return found + [f"{path} is left" for path in run.rglob(f"{UNFINISHED}*")]


def values_of(run):
    """Returns all arrays of a run that must be equal, as bytes by name."""
    values = {}
    paths = [run / "checkpoints" / name for name in LAST]  # of the others not all are kept
    paths = [path for path in paths if path.exists()]
    for path in (*paths, *(path for pattern in COMPARED for path in run.glob(pattern))):
        for name, array in _arrays(path).items():
            if name not in ("seconds", "history"):  # the time is in both
                array = np.asarray(array)
                values[f"{path.relative_to(run)}/{name}"] = (array.dtype, array.tobytes())
    return values


def _arrays(path):
    if path.suffix in (".csv", ".json"):
        return {"": np.frombuffer(path.read_bytes(), np.uint8)}
    if path.suffix != ".keras":
        loaded = np.load(path)
        return {"": loaded} if isinstance(loaded, np.ndarray) else loaded
    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as file:
        names = []
        file.visit(names.append)
        return {name: file[name][()] for name in names if isinstance(file[name], h5py.Dataset)}


def report(kills, runs, numbers, problems):
    arrays = " or ".join(map(str, numbers))
    columns = [each.name for each in SIGNALS]
    rows = [[event, *(str(kills[event, name]) for name in columns)] for event in EVENTS]
    print(f"\n{markdown_table(['stopped by', *columns], rows)}\n")
    print(f"{kills.total()} kills of {runs} runs; {arrays} arrays compared in each.")
    print("\n".join(problems) or "All runs ended equal to the bit to one that nothing stopped.")


if __name__ == "__main__":
    common.start()
