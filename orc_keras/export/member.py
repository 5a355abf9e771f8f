"""Exports a member of a run: writes and measures formats, and describes them in a model card."""

import contextlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from orc_keras.data import ImageData
from orc_keras.evaluate.members import load_member
from orc_keras.export import CALIBRATION_IMAGES, RUN_FORMATS, formats, model_card
from orc_keras.export.formats import FORMATS, INT8, SAVED_MODEL, Source, path_of
from orc_keras.export.measure import FIGURES, calibration, measure
from orc_keras.files import replacing
from orc_keras.run_files import STUDENT, SUMS
from orc_keras.runs import checksums, finished_run
from orc_keras.runs.images import load_images

# In the SavedModel's directory:
CARD = "README.md"
MEASURED = "formats.json"  # what `export` returns


def export(
    network: keras.Model,
    member: str,
    target: Path,
    summary: dict[str, Any],
    names: Collection[str] = RUN_FORMATS,
    images: ImageData | None = None,
    calibration_images: Sequence[np.ndarray] = (),
) -> dict[str, Any]:
    """Writes a network in some formats, all of them or none, and its model card.

    The SavedModel is always there, because the others are converted from it and the card is in it.

    Args:
        network: a member of a run, from normalised images to logits.
        member: its name in the run.
        target: the path of the SavedModel; the others have a suffix.
        summary: of the run.
        names: of the formats.
        images: to measure them on; None: they are not measured.
        calibration_images: raw training images, for `tflite-int8`.

    Returns:
        What `measure` returns, by format; None for one that was not measured.
    """
    earlier = _earlier(target, keep=SAVED_MODEL not in names)
    names = {*names} if SAVED_MODEL in earlier else {SAVED_MODEL, *names}
    new = [name for name in FORMATS if name in names]
    with contextlib.ExitStack() as stack:
        paths = {name: stack.enter_context(replacing(path_of(target, name))) for name in new}
        saved_model = paths.get(SAVED_MODEL, target)
        source = Source(network, summary["data"], saved_model, calibration_images)
        for name, path in paths.items():  # the SavedModel first
            try:
                FORMATS[name].write(source, path)
            except (OSError, tf.errors.OpError) as error:
                raise OSError(f"{path_of(target, name)} cannot be written: {error}") from error
        batch_size = summary["settings"]["batch_size"]
        measured = measure(paths, network, images, batch_size) if images else {}
        measured = earlier | {name: measured.get(name) for name in new}
        measured = {name: measured[name] for name in FORMATS if name in measured}
        card = model_card.text(summary, member, target.name, measured)
        _write_text(saved_model / MEASURED, json.dumps(measured, indent=2) + "\n")
        _write_text(saved_model / CARD, card)
    return measured


def _write_text(target: Path, text: str) -> None:
    with replacing(target) as path:
        path.write_text(text, encoding="utf-8")


def _earlier(target: Path, keep: bool) -> dict[str, Any]:
    """Returns what `export` returned for the formats that exist.

    Args:
        target: of the SavedModel, which must be whole if it exists.
        keep: whether what was measured still holds; otherwise it is None.
    """
    existing = [name for name in FORMATS if path_of(target, name).exists()]
    if SAVED_MODEL not in existing or not keep:
        return dict.fromkeys(existing)
    for name in checksums.read(target):
        checksums.check(target, name)
    path = target / MEASURED
    try:
        measured = json.loads(path.read_text()) if path.exists() else {}
        return {name: _figures(measured.get(name)) for name in existing}
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged; delete {target} to export it again.") from error


def _figures(measured: dict | None) -> dict | None:
    """Returns the figures of a format; raises KeyError or TypeError unless all are numbers."""
    return measured and {name: measured[name] + 0 for name in FIGURES}


def export_member(
    run: str | Path,
    member: str = "",
    names: Collection[str] = RUN_FORMATS,
    calibration_images: int = CALIBRATION_IMAGES,
    data_dir: str = "",
) -> tuple[list[Path], Path]:
    """Exports a member of a finished run.

    Args:
        run: the run's directory.
        member: its name in the run's summary, and that of its files; empty: the student, whose
            files are called `student`.
        names: of the formats, of `formats.FORMATS`.
        calibration_images: training images, evenly spaced and cut as in evaluation, by which
            `tflite-int8` finds the range of each activation.
        data_dir: the folder of TensorFlow Datasets, if it has moved.

    Returns:
        The paths that were written, and that of the model card. The SavedModel is written if it
        does not exist.

    Raises:
        ValueError: if there is no finished run, no such member or format, or it is exported
            already; if packages are missing, or the training images for `tflite-int8`; if the
            SavedModel is damaged.
    """
    formats.check(names)
    for name in names:
        FORMATS[name].check()
    directory = finished_run(run)
    target = directory.path / (member or STUDENT)
    member = member or list(directory.summary["members"])[-1]
    network = load_member(directory, member)
    others = [name for name in names if name != SAVED_MODEL]
    names = [*([] if target.exists() and others else [SAVED_MODEL]), *others]
    written = [path_of(target, name) for name in names]
    for path in written:
        if path.exists():
            raise ValueError(f"{path} exists already; delete it to export {member} again.")
    images = _images(directory, data_dir, needs_training=INT8 in names)
    some = calibration(images, calibration_images) if images and INT8 in names else ()
    export(network, member, target, directory.summary, names, images, some)
    sums = checksums.updated(directory.path, written)  # the student's files are listed there
    _write_text(directory.path / SUMS, sums)
    return written, target / CARD


def _images(run, data_dir: str, needs_training: bool) -> ImageData | None:
    """Returns the run's images; None if they are gone, unless the training images are needed."""
    try:
        return load_images(run, data_dir, needs_training)
    except ValueError as error:
        if needs_training:
            raise ValueError(
                f"--formats={INT8} needs training images for calibration. {error}"
            ) from error
        print(f"The files are not measured. {error}")
        return None
