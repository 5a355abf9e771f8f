"""The end of a run: evaluation, export, summary and report."""

import dataclasses
import math

import numpy as np

from orc_keras import models, run_files
from orc_keras.distribution import devices
from orc_keras.evaluate.evaluation import evaluate_group
from orc_keras.evaluate.members import load_group_members
from orc_keras.export import RUN_FORMATS
from orc_keras.export.member import export
from orc_keras.export.tflite import Unsupported
from orc_keras.groups.network_group import PIVOT
from orc_keras.report import page
from orc_keras.runs import predictions, summary
from orc_keras.runs.versions import versions


def evaluate_and_export(run, group, seconds, rate):
    """Evaluates every member, exports the student, and writes and prints the results.

    Args:
        run: `Run`, whose directory holds `checkpoints/group.keras` and the histories.
        group: its trained `NetworkGroup`, the one saved in `group.keras`.
        seconds: the seconds of each stage, by name.
        rate: training images per second of *the* student, without evaluation; or NaN.

    Returns:
        The run's summary.
    """
    settings, directory, images = run.settings, run.directory, run.images
    networks = load_group_members(directory / run_files.GROUP)
    evaluation = evaluate_group(networks, images, settings.batch_size)
    with directory.replacing(run_files.EVALUATION) as path:
        predictions.write(evaluation, path)
    history = directory.history()
    epochs = len(history["loss"])
    seen = len(images.train) // settings.batch_size * settings.batch_size * epochs
    of_group = sum(value for stage, value in seconds.items() if stage != PIVOT)
    contents = {
        "settings": dataclasses.asdict(settings),
        "description": group.description,
        "versions": versions(),
        "devices": devices.description(group.distribute_strategy),
        "seed": settings.seed,
        "seconds": round(sum(seconds.values()), 1),
        "seconds_of_stages": {stage: round(value, 1) for stage, value in seconds.items()},
        "images_per_second": round(seen / of_group, 1),
        "images_per_second_without_evaluation": None if math.isnan(rate) else round(rate, 1),
        "data": images.description(),
        "sources": directory.sources,
        "members": _members(group, history, evaluation.predictions),
    }
    student = group.student_names[-1]
    contents["formats"] = _export(networks[student], student, directory, contents, images)
    directory.finish(contents)
    written = page.write([directory.path])
    print(
        f"\n{summary.table(contents)}\n\n"
        f"The student is in {directory / run_files.STUDENT}/; {written} shows what happened."
    )
    return contents


def _export(network, student, directory, contents, images):
    """Exports *the* student; one of a user's own may have what TensorFlow Lite lacks."""
    target = directory / run_files.STUDENT
    try:
        return export(network, student, target, contents, images=images)
    except Unsupported as error:
        print(f"{run_files.STUDENT}.tflite is left out. {error}")
        others = [name for name in RUN_FORMATS if name != "tflite"]
        return export(network, student, target, contents, others, images)


def _members(group, history, predictions):
    """Returns the summary of each member at the end of a run, by name.

    Its entries are `network`, the architecture; `role`: pivot, student or immature teacher;
    `parameters`, the trainable ones; `accuracy`, `top_5`, `balanced_accuracy`, `cross_entropy` and
    `calibration_error` on the held-out images; `taught`, the share of mini-batches in which it was
    a temporary teacher, None for the pivot, which always teaches, and for methods without role
    change.
    """
    roles = {group.pivot_name: "pivot", group.student_names[-1]: "student"}
    return {
        name: {
            "network": network.name,
            "role": roles.get(name, "immature teacher"),
            "parameters": models.parameters(network),
            "accuracy": predictions[name].accuracy(),
            "top_5": predictions[name].accuracy(5),
            "balanced_accuracy": predictions[name].balanced_accuracy(),
            "cross_entropy": float(predictions[name].cross_entropy.mean()),
            "calibration_error": predictions[name].calibration_error(),
            "taught": float(np.mean(history[f"{name}_taught"]))
            if f"{name}_taught" in history
            else None,
        }
        for name, network in group.members.items()
    }
