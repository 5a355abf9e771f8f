"""Exports a member of a run: writes and measures formats, and describes them in a model card."""

import contextlib
import json

import numpy as np
import tensorflow as tf

from orc_keras import data
from orc_keras.evaluate.members import load_member
from orc_keras.export import AT_THE_END, CALIBRATION_IMAGES, formats, model_card
from orc_keras.export.formats import FORMATS, INT8, SAVED_MODEL, Source, path_of
from orc_keras.export.measure import FIGURES, measure
from orc_keras.files import reason, replacing
from orc_keras.runs import checksums
from orc_keras.runs.images import held_out_again
from orc_keras.runs.names import STUDENT, SUMS
from orc_keras.runs.record import finished

# In the SavedModel's directory:
CARD = "README.md"
MEASURED = "formats.json"  # what `export` returns


def export(network, member, target, summary, names=AT_THE_END, images=None, calibration=()):
    """Writes a network in some formats, all of them or none, and its model card.

    The SavedModel is always there, because the others are made from it and the card is in it.

    Args:
        network: a member of a run, a `keras.Model` from normalised images to logits.
        member: its name in the run.
        target: the path of the SavedModel; the others have a suffix.
        summary: of the run.
        names: of the formats.
        images: `ImageData` to measure them on; None: they are not measured.
        calibration: raw training images, for `tflite-int8`.

    Returns:
        What `measure` returns, by format; None for one that was not measured.
    """
    there = _there(target, SAVED_MODEL not in names)
    written = [
        name for name in FORMATS if name in names or (name == SAVED_MODEL and name not in there)
    ]
    with contextlib.ExitStack() as stack:
        paths = {name: stack.enter_context(replacing(path_of(target, name))) for name in written}
        saved_model = paths.get(SAVED_MODEL, target)
        source = Source(network, summary["data"], saved_model, calibration)
        for name, path in paths.items():  # the SavedModel first
            _write(name, source, path, path_of(target, name))
        batch_size = summary["settings"]["batch_size"]
        measured = measure(paths, network, images, batch_size) if images else {}
        of_all = there | {name: measured.get(name) for name in written}
        of_all = {name: of_all[name] for name in FORMATS if name in of_all}
        card = model_card.text(summary, member, target.name, of_all)
        for name, text in ((MEASURED, json.dumps(of_all, indent=2) + "\n"), (CARD, card)):
            with replacing(saved_model / name) as path:
                path.write_text(text, encoding="utf-8")
    return of_all


def _write(name, source, path, target):
    """Writes a format; errors name the file that it is to become."""
    try:
        FORMATS[name].write(source, path)
    except (OSError, tf.errors.OpError) as error:
        raise OSError(f"{target} cannot be written: {reason(error)}") from error


def _there(target, measured):
    """Returns what `export` returned for the formats that are there.

    Args:
        target: of the SavedModel, which must be whole if it is there.
        measured: whether what was measured holds still; otherwise it is None.
    """
    formats_there = [name for name in FORMATS if path_of(target, name).exists()]
    if SAVED_MODEL not in formats_there or not measured:
        return dict.fromkeys(formats_there)
    for name in checksums.read(target):
        checksums.check(target, name)
    path = target / MEASURED
    try:
        known = json.loads(path.read_text()) if path.exists() else {}
        return {name: _known(known.get(name)) for name in formats_there}
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged; delete {target} to export it again.") from error


def _known(measured):
    """Returns what was measured of a format, in full."""
    return measured and {name: measured[name] + 0 for name in FIGURES}


def export_member(
    run, member="", names=AT_THE_END, calibration_images=CALIBRATION_IMAGES, data_dir=""
):
    """Exports a member of a finished run.

    Args:
        run: the run's directory.
        member: the member's name, as in the run's summary, which the files have too; empty: the
            student, whose files are called `student`.
        names: of the formats, of `formats.FORMATS`.
        calibration_images: training images, evenly spaced and cut as in evaluation, by which
            `tflite-int8` finds the range of each activation.
        data_dir: the folder of TensorFlow Datasets, if it has moved.

    Returns:
        The paths that were written, and that of the model card. The SavedModel is always written if
        it is not there.

    Raises:
        ValueError: if there is no finished run, no such member or format, or it is exported
            already; if packages are missing, or the training images for `tflite-int8`; if the
            SavedModel is there, but damaged.
    """
    formats.check(names)
    run = finished(run)
    target = run.path / (member or STUDENT)
    member = member or list(run.summary["members"])[-1]
    network = load_member(run, member)
    others = [name for name in names if name != SAVED_MODEL]
    names = [*([] if target.exists() and others else [SAVED_MODEL]), *others]
    for path in (path_of(target, name) for name in names):
        if path.exists():
            raise ValueError(f"{path} exists already; delete it to export {member} again.")
    images = _images(run, data_dir, INT8 in names)
    some = calibration(images, calibration_images) if INT8 in names else ()
    export(network, member, target, run.summary, names, images, some)
    written = [path_of(target, name) for name in names]
    with replacing(run.path / SUMS) as path:  # which lists the student's
        path.write_text(checksums.renewed(run.path, written), encoding="utf-8")
    return written, target / CARD


def _images(run, data_dir, to_learn):
    """Returns the run's images; None if they are gone, unless the training images are needed."""
    try:
        return held_out_again(run, data_dir, to_learn)
    except ValueError as error:
        if to_learn:
            raise ValueError(
                f"--formats={INT8} needs training images for calibration. {error}"
            ) from error
        print(f"The files are not measured. {error}")
        return None


def calibration(images, number):
    """Returns raw training images, evenly spaced, `[height, width, channels]` each."""
    number = min(number, len(images.train))
    some = np.linspace(0, len(images.train) - 1, number, dtype=np.int64)
    batches = data.held_out_pixels(images, some, images=images.train)
    return [image for batch, _ in batches.as_numpy_iterator() for image in batch]
