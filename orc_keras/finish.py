"""The end of a run: what came out is evaluated, exported, summarised, and shown."""

import dataclasses
import importlib.metadata
import math
import platform

import numpy as np

import models
from orc_keras.evaluate.whole_group import evaluate_group
from orc_keras.export.formats import export
from orc_keras.export.stock_layers import load_members
from orc_keras.report import page
from orc_keras.runs import names, predictions, summary
from orc_keras.runs.record import RunRecord


def finish(run, group, seconds, rate):
    """Evaluates every member, exports the student, and writes and prints what came out.

    Args:
        run: `Run`, in whose directory `checkpoints/group.keras` and the histories are.
        group: its trained `NetworkGroup`, of which `group.keras` is a copy.
        seconds: how long each stage took, by name.
        rate: images per second that *the* student learnt from, evaluation not counted; or NaN.

    Returns:
        The run's summary.
    """
    settings, directory, images = run.settings, run.directory, run.images
    networks = load_members(directory / names.GROUP)
    evaluation = evaluate_group(networks, images, settings.batch_size)
    with directory.replacing(names.EVALUATION) as path:
        predictions.write(evaluation, path)
    seen = len(images.train) // settings.batch_size * settings.batch_size * settings.epochs
    of_group = sum(value for stage, value in seconds.items() if stage != "pivot")
    contents = {
        "settings": dataclasses.asdict(settings),
        "way": group.way,
        "versions": versions(),
        "seed": settings.seed,
        "seconds": round(sum(seconds.values()), 1),
        "images_per_second": round(seen / of_group, 1),
        "images_per_second_without_evaluation": None if math.isnan(rate) else round(rate, 1),
        "data": images.description(),
        "members": _members(group, RunRecord(directory.path).history(), evaluation.predictions),
    }
    student = group.student_names[-1]
    measured = export(networks[student], student, names.STUDENT, directory, contents, images)
    contents["tflite"] = measured
    directory.finish(contents)
    written = page.write([directory.path])
    print(
        f"\n{summary.table(contents)}\n\n"
        f"The student is in {directory / names.STUDENT}/; {written} shows what happened."
    )
    return contents


def _members(group, history, predictions):
    """Returns what is to be said of each member at the end of a run, by name.

    That is `network`, its architecture; `role`, pivot, student or immature teacher; `parameters`,
    the trainable ones; `accuracy`, `top_5`, `cross_entropy` and `calibration_error` on the held-out
    images after the last epoch; `taught`, the share of all mini-batches in which it was a temporary
    teacher (None for the pivot, which always teaches, and where nobody does).
    """
    roles = {group.pivot_name: "pivot", group.student_names[-1]: "student"}
    return {
        name: {
            "network": network.name,
            "role": roles.get(name, "immature teacher"),
            "parameters": models.parameters(network),
            "accuracy": predictions[name].accuracy(),
            "top_5": predictions[name].accuracy(5),
            "cross_entropy": float(predictions[name].cross_entropy.mean()),
            "calibration_error": predictions[name].calibration_error(),
            "taught": float(np.mean(history[f"{name}_taught"]))
            if f"{name}_taught" in history
            else None,
        }
        for name, network in group.members.items()
    }


def versions():
    """Returns the versions that a run's figures depend on, by package."""
    packages = ("tensorflow", "keras", "numpy")
    return {
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }
