"""Makes a bundle: the parts of a finished run that a stranger needs to verify it, a few 100 kB."""

import csv
import dataclasses
import json
import math
import shutil
from pathlib import Path

from orc_keras.compare.plan import OF_THE_GROUP
from orc_keras.runs import checksums, names
from orc_keras.runs.files import replacing
from orc_keras.runs.record import finished

STUDENT = f"{names.STUDENT}.keras"
SEEDS = "seeds.csv"  # the student's accuracy in each evaluation, of all seeds of a comparison
COPIED = (names.DATA, names.HISTORY, names.ROLES, STUDENT)
HERE_ONLY = {"pivot_weights": "", "output_dir": "", "data_dir": ""}  # paths of this machine


def make(run, bundle):
    """Makes a bundle of a finished run; of a run of a comparison, with the curves of all its seeds.

    It is a directory with the student's weights, `settings.flags`, `summary.json`, which has the
    figures and the versions, `data.json`, the histories, who taught when, `seeds.csv`, and
    `SHA256SUMS` of all these.

    Args:
        run: the run's directory.
        bundle: the directory to make.

    Raises:
        ValueError: if the run has not finished, or its pivot's training cannot be repeated from
            its settings; or if the bundle is there already.
    """
    record, bundle = finished(run), Path(bundle)
    if bundle.exists():
        raise ValueError(f"{bundle} is there already; name a directory that is not.")
    trained = _trainer_of_pivot(record)
    copied = {name: record.path / name for name in COPIED if record.has(name)}
    for history in names.EARLIER_HISTORIES:
        copied |= {path.name: path for path in trained.path.glob(history)}
        copied |= {path.name: path for path in record.path.glob(history)}
    for name, path in copied.items():
        checksums.check(path.parent, name)
    settings = dataclasses.replace(record.settings, **HERE_ONLY)
    summary = record.summary | {"settings": record.summary["settings"] | HERE_ONLY}
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with replacing(bundle) as unfinished:
        unfinished.mkdir()
        for name, path in copied.items():
            shutil.copyfile(path, unfinished / name)
        (unfinished / names.SETTINGS).write_text(settings.as_flags())
        (unfinished / names.SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
        _write_seeds(unfinished / SEEDS, record)
        written = {path.name: path for path in sorted(unfinished.iterdir())}
        (unfinished / names.SUMS).write_text(checksums.of(written))


def _trainer_of_pivot(record):
    """Returns the record of the run that trained the pivot from these settings."""
    weights = record.settings.pivot_weights
    if not weights:
        return record
    try:
        trained = finished(Path(weights).parents[1])
        theirs, ours = dataclasses.asdict(trained.settings), dataclasses.asdict(record.settings)
    except (ValueError, IndexError):
        theirs, ours = {}, {"pivot": ""}
    free = OF_THE_GROUP - {"seed"} | set(HERE_ONLY) | {"overwrite"}
    if any(theirs.get(name) != value for name, value in ours.items() if name not in free):
        raise ValueError(
            f"The pivot of {record.path} is {weights}, which was not trained in a run of its "
            "comparison; a bundle needs a run that can be made again from its settings."
        )
    return trained


def _write_seeds(path, record):
    """Writes seed, epoch and the student's accuracy of the run and of those beside it."""
    there = sorted(record.path.parent.glob("seed*"), key=lambda p: (len(p.name), p.name))
    runs = [each for each in there if (each / names.SUMMARY).exists()]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", "epoch", "accuracy"])
        for run in map(finished, runs if record.path in runs else [record.path]):
            for epoch, accuracy in evaluations(run.history()).items():
                writer.writerow([run.settings.seed, epoch, accuracy])


def evaluations(history):
    """Returns the student's held-out accuracy by epoch, from 1, where there was an evaluation."""
    values = enumerate(history["val_accuracy"], 1)
    return {epoch: value for epoch, value in values if not math.isnan(value)}
