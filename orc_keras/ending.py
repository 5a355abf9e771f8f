"""The end of a run: what came out is evaluated, exported, summarised, and shown."""

import dataclasses
import math

from orc_keras import report
from orc_keras.evaluate import held_out
from orc_keras.export.member import export
from orc_keras.export.networks import load_members
from orc_keras.runs import summary
from orc_keras.training.stage import read_history


def end(settings, directory, images, group, seconds_of_pivot, seconds, rate):
    """Evaluates every member, exports the student, and writes and prints what came out.

    Args:
        settings: `Settings`.
        directory: `RunDirectory`, in which `checkpoints/group.keras` and `history.csv` are.
        images: `ImageData`.
        group: the trained `NetworkGroup`, of which `group.keras` is a copy.
        seconds_of_pivot: how long the pivot's training took.
        seconds: how long the group's took.
        rate: images per second that *the* student learnt from, evaluation not counted; or NaN.

    Returns:
        The run's summary.
    """
    networks = load_members(directory / "checkpoints" / "group.keras")
    evaluated = held_out.evaluate_group(networks, images, settings.batch_size)
    with directory.replacing(held_out.FILE) as path:
        held_out.write(evaluated, path)
    seen = len(images.train) // settings.batch_size * settings.batch_size * settings.epochs
    history = read_history(directory / "history.csv")
    contents = {
        "settings": dataclasses.asdict(settings),
        "way": group.way,
        "versions": summary.versions(),
        "seed": settings.seed,
        "seconds": round(seconds_of_pivot + seconds, 1),
        "images_per_second": round(seen / seconds, 1),
        "images_per_second_without_evaluation": None if math.isnan(rate) else round(rate, 1),
        "data": images.description(),
        "members": summary.members(group, history, evaluated.outcomes),
    }
    student = group.student_names[-1]
    measured = export(networks[student], student, "student", directory, contents, images)
    contents["tflite"] = measured
    directory.finish(contents)
    page = report.write([directory.path])
    print(
        f"\n{summary.table(contents)}\n\n"
        f"The student is in {directory / 'student'}/; {page} shows what happened."
    )
    return contents
