"""Exports a member of a run: writes and measures formats, and describes them in a model card."""

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from orc_keras import checksums, files
from orc_keras.data import ImageData
from orc_keras.evaluate.members import load_member
from orc_keras.export import CALIBRATION_IMAGES, RUN_FORMATS, formats, model_card, saved_model
from orc_keras.export import measure as measuring
from orc_keras.export.formats import FORMATS, INT8, SAVED_MODEL, Source, path_of
from orc_keras.run_files import STUDENT
from orc_keras.runs import continuation, finished_run
from orc_keras.runs.images import load_images

# In the SavedModel's directory:
CARD = "README.md"
MEASURED = "formats.json"  # what `export` returns


def export(
    network: keras.Model,
    member: str,
    target: Path,
    summary: dict[str, Any],
    images: ImageData | None,
    names: Collection[str] = RUN_FORMATS,
    calibration_images: Sequence[np.ndarray] = (),
) -> dict[str, Any]:
    """Writes a network in some formats, all of them or none, and its model card.

    Args:
        network: a member of a run, from normalised images to logits.
        member: its name in the run.
        target: the path of the SavedModel; the others have a suffix.
        summary: of the run.
        images: to measure the files on; None: they are not measured.
        names: of the formats, with the SavedModel if there is none yet.
        calibration_images: as for `Source`.

    Returns:
        What `measure` returns, by format; None for one that was not measured.
    """
    figures = _earlier(target, is_kept=SAVED_MODEL not in names)
    with contextlib.ExitStack() as stack:
        new = [name for name in FORMATS if name in names]  # the SavedModel first
        paths = {
            name: stack.enter_context(files.atomic_write(path_of(target, name))) for name in new
        }
        place = paths.get(SAVED_MODEL, target)
        source = Source(network, summary["data"], place, calibration_images)
        for name, path in paths.items():
            try:
                FORMATS[name].write(source, path)
            except (OSError, tf.errors.OpError) as error:
                raise OSError(f"{path_of(target, name)} cannot be written: {error}") from error
        figures |= dict.fromkeys(new)
        if images:
            figures |= measuring.measure(paths, network, images, summary["settings"]["batch_size"])
        figures = {name: figures[name] for name in FORMATS if name in figures}
        card = model_card.text(summary, member, target.name, figures)
        files.write_text(place / MEASURED, files.as_json(figures))
        files.write_text(place / CARD, card)
    return figures


def _earlier(target: Path, is_kept: bool) -> dict[str, Any]:
    """Returns the figures of the formats that exist; None if the SavedModel is not kept."""
    measured = {}
    if is_kept:
        checksums.check_exported(target, target)
        saved_model.check(target)  # before it is converted
        measured = files.read(target / MEASURED, lambda path: dict(files.from_json(path)))
    return {name: measured.get(name) for name in FORMATS if path_of(target, name).exists()}


def export_member(
    run: str | Path,
    member: str = "",
    names: Collection[str] = RUN_FORMATS,
    calibration_images: int = CALIBRATION_IMAGES,
    data_dir: str = "",
    dataset: str = "",
    measure: bool = True,
) -> tuple[dict[Path, dict[str, float] | None], Path]:
    """Exports a member of a finished run.

    Args:
        run: the run's directory.
        member: its name in the run's summary, and that of its files; empty: the student, whose
            files are called `student`.
        names: of the formats, of `formats.FORMATS`; the SavedModel is written if there is none.
        calibration_images: the number of training images for `tflite-int8`.
        data_dir: the folder of TensorFlow Datasets, if it has moved.
        dataset: the run's images, as for `train --dataset`, if they have moved.
        measure: whether to run the files on held-out images; False needs none.

    Returns:
        The paths that were written, each with what `measure` returns of it, and that of the model
        card.

    Raises:
        ValueError: if there is no finished run, or it is read-only; if there is no such member or
            format, or it is exported already; if packages or images are missing; if the SavedModel
            is damaged.
    """
    formats.check(names)
    for name in names:
        FORMATS[name].check()
    directory = finished_run(run)
    target = directory / (member or STUDENT)
    member = member or list(directory.summary["members"])[-1]
    network = load_member(directory, member)
    directory.inside(target.name)
    names = [*names] if target.exists() else [SAVED_MODEL, *names]
    paths = {name: path_of(target, name) for name in FORMATS if name in names}
    for path in paths.values():
        if path.exists():
            raise ValueError(f"{path} exists already; delete it to export {member} again.")
    continuation.check_files(directory, *(path.name for path in paths.values()))
    images, calibrating = None, ()
    if measure or INT8 in names:
        images = load_images(directory, data_dir, INT8 in names, dataset)
        if INT8 in names:
            calibrating = measuring.representative_dataset(images, calibration_images)
    figures = export(network, member, target, directory.summary, images, names, calibrating)
    # The student's files are listed there.
    checksums.update(directory.path, list(paths.values()))
    return {path: figures[name] for name, path in paths.items()}, target / CARD
