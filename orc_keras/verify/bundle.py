"""Makes a bundle: the parts of a finished run that a stranger needs to verify it, a few 100 kB."""

import csv
import dataclasses
import json
import math
import shutil
from pathlib import Path

from orc_keras.compare.plan import OF_THE_GROUP
from orc_keras.files import replacing
from orc_keras.runs import checksums, names
from orc_keras.runs.record import RunRecord, finished

STUDENT = f"{names.STUDENT}.keras"
SEEDS = "seeds.csv"  # the student's accuracy in each evaluation, of all seeds of a comparison
COPIED = (names.HISTORY, names.ROLES, STUDENT)
KEPT = ("evaluate_every", "memory_gb")  # of the settings that do not determine the result


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
    settings = _elsewhere(record.settings)
    given = {"settings": dataclasses.asdict(settings)}
    described = (
        record.data | {"source": settings.dataset} if "source" in record.data else record.data
    )
    summary = record.summary | given | {"data": described}
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with replacing(bundle) as unfinished:
        unfinished.mkdir()
        for name, path in copied.items():
            shutil.copyfile(path, unfinished / name)
        (unfinished / names.DATA).write_text(json.dumps(described, indent=2) + "\n")
        (unfinished / names.SETTINGS).write_text(settings.as_flags())
        (unfinished / names.SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
        _write_seeds(unfinished / SEEDS, record)
        written = {path.name: path for path in sorted(unfinished.iterdir())}
        (unfinished / names.SUMS).write_text(checksums.of(written))


def _elsewhere(settings):
    """Returns settings without what is only of this machine, such as paths and devices."""
    fields = [each for each in dataclasses.fields(settings) if not each.metadata["identity"]]
    reset = {each.name: each.default for each in fields if each.name not in KEPT}
    kind, _, place = settings.dataset.partition(":")
    if kind in ("folder", "idx") and Path(place).expanduser().is_absolute():
        reset["dataset"] = f"{kind}:{Path(place).name}"
    return dataclasses.replace(settings, pivot_weights="", **reset)


def _trainer_of_pivot(record):
    """Returns the record of the run that trained the pivot from these settings."""
    weights = record.settings.pivot_weights
    if not weights:
        return record
    try:
        trained = finished(Path(weights).parents[1])
        theirs, ours = (_of_pivot(each.settings) for each in (trained, record))
    except (ValueError, IndexError):
        theirs, ours = {}, None
    if theirs != ours:
        raise ValueError(
            f"The pivot of {record.path} is {weights}, which was not trained in a run of its "
            "comparison; a bundle needs a run that can be made again from its settings."
        )
    return trained


def _of_pivot(settings):
    """Returns the settings that determine how the pivot is trained."""
    own = (OF_THE_GROUP - {"seed"}) | {"pivot_weights"}
    return {name: value for name, value in settings.identity().items() if name not in own}


def _write_seeds(path, record):
    """Writes seed, epoch and the student's accuracy of the run and of those that differ in seed."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", "epoch", "accuracy"])
        for run in _of_all_seeds(record):
            for epoch, accuracy in evaluations(run.history()).items():
                writer.writerow([run.settings.seed, epoch, accuracy])


def _of_all_seeds(record):
    def otherwise(settings):
        given = settings.identity().items()
        return {name: value for name, value in given if name not in ("seed", "pivot_weights")}

    beside = [RunRecord(path) for path in record.path.resolve().parent.glob("seed*")]
    runs = [run for run in beside if run.is_finished]
    runs = [r for r in runs if otherwise(r.settings) == otherwise(record.settings)] or [record]
    return sorted(runs, key=lambda run: run.settings.seed)


def evaluations(history):
    """Returns the student's held-out accuracy by epoch, from 1, where there was an evaluation."""
    values = enumerate(history["val_accuracy"], 1)
    return {epoch: value for epoch, value in values if not math.isnan(value)}
