"""The end of a run: evaluation, export, summary and report."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from orc_keras import models, run_files
from orc_keras.distribution import devices
from orc_keras.evaluate.evaluation import evaluate_group
from orc_keras.evaluate.members import load_group_members
from orc_keras.export import RUN_FORMATS
from orc_keras.export.member import export
from orc_keras.export.tflite import Unsupported
from orc_keras.files import DamagedFile
from orc_keras.groups.network_group import PIVOT, NetworkGroup
from orc_keras.runs import Run, RunDirectory, continuation, predictions, summary
from orc_keras.runs.predictions import Predictions


def evaluate_and_export(
    run: Run, group: NetworkGroup, seconds: Mapping[str, float]
) -> dict[str, Any]:
    """Evaluates every member, exports the student, and writes and prints the results.

    Args:
        run: whose directory holds `checkpoints/group.keras` and the histories.
        group: the trained group, the one saved in `group.keras`.
        seconds: of each stage, by name.

    Returns:
        The run's summary.
    """
    settings, directory, images = run.settings, run.directory, run.images
    networks = load_group_members(directory / run_files.GROUP)
    evaluation = evaluate_group(networks, images, settings.batch_size)
    continuation.check_undisturbed(directory, settings, images.description())
    with directory.atomic_write(run_files.EVALUATION) as path:
        predictions.write(evaluation, path)
    history = directory.history()
    if "loss" not in history:
        raise DamagedFile(f"{directory / run_files.HISTORY} was rewritten while the run trained.")
    steps = len(images.train) // settings.batch_size * len(history["loss"])
    group_seconds = sum(value for stage, value in seconds.items() if stage != PIVOT)
    contents = {
        "settings": dataclasses.asdict(settings),
        "description": group.description,
        "versions": summary.versions(),
        "devices": devices.description(group.distribute_strategy),
        "seed": settings.seed,
        "seconds": round(sum(seconds.values()), 1),
        "seconds_of_stages": {stage: round(value, 1) for stage, value in seconds.items()},
        "images_per_second": round(steps * settings.batch_size / group_seconds, 1),
        "data": images.description(),
        "sources": directory.sources,
        "members": _members(group, history, evaluation.predictions, directory.accuracy_before),
    }
    contents["formats"] = _export(networks, run, contents)
    directory.finish(contents)
    print(f"\n{summary.results(contents, directory.path)}\n")
    print(f"The student is in {directory / run_files.STUDENT}/; {write_report(directory)}.")
    return contents


def write_report(directory: RunDirectory) -> str:
    """Writes the report of a run; returns where it is, or why there is none, for a sentence."""
    try:
        from orc_keras.report import page
    except ImportError as error:
        return f"its report needs {error.name}: pip install 'orc-keras[report]'"
    return f"{page.write([directory.path])} shows what happened"


def _export(
    networks: Mapping[str, keras.Model], run: Run, contents: dict[str, Any]
) -> dict[str, Any]:
    """Exports *the* student; one of a user's own may have what TensorFlow Lite lacks."""
    student, target = list(networks)[-1], run.directory / run_files.STUDENT
    arguments = networks[student], student, target, contents, run.images
    try:
        return export(*arguments)
    except Unsupported as error:
        print(f"{run_files.STUDENT}.tflite is left out. {error}")
        return export(*arguments, [name for name in RUN_FORMATS if name != "tflite"])


def _members(
    group: NetworkGroup,
    history: Mapping[str, list[float]],
    predictions: Mapping[str, Predictions],
    accuracy_before: float | None,
) -> dict[str, dict[str, Any]]:
    """Returns the summary of each member, by name; `taught` is None for one without roles."""
    roles = {group.pivot_name: "pivot", group.student_names[-1]: "student"}
    shares = {name: history.get(f"{name}_taught", []) for name in group.members}
    summaries: dict[str, dict[str, Any]] = {
        name: {
            "network": network.name,
            "role": roles.get(name, "immature teacher"),
            "parameters": models.parameters(network),
            **predictions[name].summary_metrics(),
            "taught": float(np.mean(shares[name])) if shares[name] else None,
        }
        for name, network in group.members.items()
    }
    if accuracy_before is not None:
        summaries[group.pivot_name]["accuracy_before"] = accuracy_before
    return summaries
