"""What is verified of a bundle: its figures, and that training again gives such a curve."""

import collections
import csv
import dataclasses
from pathlib import Path

import keras
import numpy as np
from scipy import stats

from orc_keras import data
from orc_keras.compare.statistics import LEVEL
from orc_keras.evaluate.members import logits_function
from orc_keras.evaluate.one_network import BATCH_SIZE
from orc_keras.runs import checksums
from orc_keras.runs.images import as_seen
from orc_keras.runs.predictions import Predictions
from orc_keras.runs.record import finished
from orc_keras.verify.bundle import SEEDS, STUDENT, evaluations

MEASURES = {
    "accuracy": "{:.4%}",  # one image of a million shows
    "top_5": "{:.4%}",
    "cross_entropy": "{:.4f}",
    "calibration_error": "{:.2%}",
}
ALIKE = ("class_names", "train_images", "held_out_images", "held_out_from", "files")


def figures(bundle, dataset="", data_dir=""):
    """Evaluates the student of a bundle on the held-out images of its run.

    Args:
        bundle: its directory.
        dataset: where the images are, as `--dataset` of `train.py`, if they have moved.
        data_dir: the folder of TensorFlow Datasets.

    Returns:
        The recorded text and that of today, by measure.

    Raises:
        ValueError: if a file is damaged, or the images are not those of the run.
    """
    record = finished(bundle)
    name = list(record.summary["members"])[-1]
    network = keras.saving.load_model(checksums.check(record.path, STUDENT), compile=False)
    batches = data.held_out_batches(_images(record, dataset, data_dir), BATCH_SIZE)
    computed = Predictions.of(logits_function({name: network}), batches)[name]
    today = {
        "accuracy": computed.accuracy(),
        "top_5": computed.accuracy(5),
        "cross_entropy": float(computed.cross_entropy.mean()),
        "calibration_error": computed.calibration_error(),
    }
    recorded = record.summary["members"][name]
    return {m: (text.format(recorded[m]), text.format(today[m])) for m, text in MEASURES.items()}


def _images(record, dataset, data_dir):
    """Returns the images of a run, wherever they are now."""
    settings = record.settings
    try:
        images = data.load(
            dataset or settings.dataset,
            data_dir or settings.data_dir,
            settings.image_size,
            settings.validation_fraction,
            memory_gb=settings.memory_gb,
        )
    except ValueError as error:
        if dataset:
            raise
        kind = settings.dataset.partition(":")[0]
        raise ValueError(f"{error} --dataset={kind}:... says where the images are.") from error
    there, then = images.description(), record.data
    if changed := [key for key in ALIKE if there.get(key) != then.get(key)]:
        raise ValueError(
            f"--dataset={dataset or settings.dataset} is not what the run in {record.path} learnt "
            f"from: {', '.join(changed)} of the images differ."
        )
    return as_seen(record, images)


@dataclasses.dataclass(frozen=True)
class Point:
    """An evaluation of a run that was made again.

    Attributes:
        epoch: from 1.
        accuracy: of the student, now.
        recorded: the same in the bundle's run, or NaN.
        low, high: the band of this epoch, or NaN if the recorded seeds do not scatter. A further
            seed's whole curve lies within the bands with a probability of at least 95 %, if seeds
            scatter normally (Student's t; Bonferroni).
    """

    epoch: int
    accuracy: float
    recorded: float
    low: float
    high: float

    def is_recorded(self):
        return abs(self.accuracy - self.recorded) < 1e-6

    def is_outside(self):
        inside = self.low <= self.accuracy <= self.high
        return not (inside or self.is_recorded() or np.isnan(self.low))


def curve(bundle, run):
    """Compares the student's accuracies in a run with those that a bundle has recorded.

    Args:
        bundle: its directory.
        run: the directory of a finished run with the bundle's settings.

    Returns:
        A list of `Point`.
    """
    record = finished(bundle)
    recorded, bands = evaluations(record.history()), bands_of(record)
    made = evaluations(finished(run).history()).items()
    nothing = (np.nan, np.nan)
    return [Point(e, a, recorded.get(e, np.nan), *bands.get(e, nothing)) for e, a in made]


def bands_of(record):
    """Returns the ends of the prediction interval of a further seed, by epoch."""
    by_epoch = collections.defaultdict(list)
    with open(checksums.check(record.path, SEEDS), newline="") as file:
        for row in csv.DictReader(file):
            by_epoch[int(row["epoch"])].append(float(row["accuracy"]))
    tail = (1 - LEVEL) / 2 / len(by_epoch)
    return {epoch: _band(np.array(values), tail) for epoch, values in by_epoch.items()}


def _band(values, tail):
    number = len(values)
    if number < 2 or np.ptp(values) == 0:
        return np.nan, np.nan
    half = stats.t.isf(tail, number - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / number)
    return float(values.mean() - half), float(values.mean() + half)


def settings_of(bundle):
    """Returns the `Settings` of a bundle's run; every file of the bundle is checked first."""
    if not (Path(bundle) / SEEDS).exists():
        raise ValueError(f"{bundle} is not a bundle: it has no {SEEDS}.")
    record = finished(bundle)
    for name in checksums.read(record.path):
        checksums.check(record.path, name)
    return record.settings
