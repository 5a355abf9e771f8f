"""The summary of a run: what is in `summary.json`, and what is printed of it."""

import importlib.metadata
import math
import platform
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orc_keras.data import Preprocessing
from orc_keras.files import from_json
from orc_keras.formatting import aligned_table, first_few, is_printable, quoted

PACKAGES = ("tensorflow", "keras", "numpy")
NOTEWORTHY = 0.005  # between accuracy and balanced accuracy
NOTES = {  # of the description of the images, if there are any
    "ignored_files": "ignored files",
    "images_with_alpha": "images with alpha",
    "images_with_16_bits": "images with 16 bits",
    "images_rotated_by_exif": "images rotated by EXIF data, which are taken as they are stored",
}
# The values that the programs read; a list has any number of its only one.
NUMBER = int | float
SETTINGS = {"dataset": str, "batch_size": int, "epochs": int}
DATA = {
    "image_shape": [int],
    "class_names": [str],
    "mean": [NUMBER],
    "std": [NUMBER],
    "augmentation": str,
    "resized": bool,
    "train_images": int,
    "held_out_images": int,
    "held_out_from": str,
}
DATA_NOTES = {"place": {"dataset": str, "data_dir": str}, "skipped_files": {}}  # of some datasets
MEMBER = {
    "network": str,
    "role": str,
    "parameters": int,
    "taught": NUMBER | None,
    **dict.fromkeys(("accuracy", "top_5", "cross_entropy", "calibration_error"), NUMBER),
}
SUMMARY = {"settings": SETTINGS, "description": str, "versions": {}, "data": DATA, "members": {}}
TIMES = dict.fromkeys(("median", "p95", "images_per_second"), NUMBER)
MEASURED = {
    "member": str,
    "role": str,
    "format": str,
    "one_thread": TIMES,
    **dict.fromkeys(("bytes", "accuracy", "agreement", "images", "mflops"), NUMBER),
}
BENCHMARK = {"machine": str, "cores": int, "rows": [MEASURED]}


def read(path: Path) -> dict[str, Any]:
    """Returns the contents of `summary.json`; ValueError if it is of another version."""
    summary = from_json(path)
    _check(summary, SUMMARY, "It")
    for name, member in summary["members"].items():
        _check(member, MEMBER, name)
    if not summary["members"]:
        raise ValueError("It has no members.")
    _check_data(summary["data"])
    table(summary)
    return summary


def read_data(path: Path) -> dict[str, Any]:
    """Returns the contents of `data.json`; ValueError if it is of another version."""
    data = from_json(path)
    _check_data(data)
    return data


def read_benchmark(path: Path) -> dict[str, Any]:
    """Returns the contents of `benchmark.json`; ValueError if it is of another version."""
    contents = from_json(path)
    _check(contents, BENCHMARK, "It")
    return contents


def _check_data(data: Any) -> None:
    """Raises some exception unless this describes images, as `ImageData.description()` does."""
    _check(data, DATA, "data")
    _check(data, {name: form for name, form in DATA_NOTES.items() if name in data}, "data")
    Preprocessing.from_description(data).check()


def _check(value: Any, form: Any, name: str) -> None:
    """Raises ValueError unless a value is of a type, a list of one, or a dict that has some."""
    kind = type(form) if isinstance(form, dict | list) else form
    if not isinstance(value, kind) or value in (math.inf, -math.inf) or value != value:
        raise ValueError(f"{name} must be {getattr(kind, '__name__', 'a finite number')}.")
    if kind is str and not is_printable(value):
        raise ValueError(f"{name} has characters that cannot be printed.")
    if isinstance(form, list):
        for each in value:
            _check(each, form[0], name)
    if isinstance(form, dict):
        if missing := sorted(form.keys() - value.keys()):
            raise ValueError(f"It lacks {', '.join(missing)}.")
        for key in form:
            _check(value[key], form[key], key)


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str | None]:
    """Returns the versions of Python and of packages, by name; None if one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def results(summary: Mapping[str, Any], path: str | Path) -> str:
    """Returns what is printed of a finished run in the directory `path`: `table`, and a hint."""
    return "\n\n".join(filter(None, [table(summary), better_student(summary, path)]))


def table(summary: Mapping[str, Any]) -> str:
    """Returns the table of a run's members as text, from the contents of `summary.json`.

    "Before" is the accuracy of a pivot that came trained, before it was in the group.
    """
    members = summary["members"]
    roles = {n: f" ({m['role']})" * (m["role"] != "immature teacher") for n, m in members.items()}
    columns = {
        "member": [name + role for name, role in roles.items()],
        "parameters": [f"{member['parameters']:,}" for member in members.values()],
        "held-out accuracy": [f"{member['accuracy']:.2%}" for member in members.values()],
    }
    before = [member.get("accuracy_before") for member in members.values()]
    if any(accuracy is not None for accuracy in before):
        columns["before"] = ["" if each is None else f"{each:.2%}" for each in before]
    if balanced := balanced_accuracies(summary):
        columns["balanced"] = [f"{accuracy:.2%}" for accuracy in balanced.values()]
    taught = [member["taught"] for member in members.values()]
    if any(share is not None for share in taught):
        columns["taught"] = ["always" if share is None else f"{share:.1%}" for share in taught]
    return aligned_table([tuple(columns), *zip(*columns.values())])


def balanced_accuracies(summary: Mapping[str, Any]) -> dict[str, float]:
    """Returns each member's balanced accuracy, the mean over classes, where that is noteworthy.

    It is where one differs from the accuracy by more than half a point, as with unequal classes;
    otherwise the result is empty.
    """
    members = summary["members"]
    balanced = {n: m.get("balanced_accuracy", m["accuracy"]) for n, m in members.items()}
    if any(abs(balanced[n] - m["accuracy"]) > NOTEWORTHY for n, m in members.items()):
        return balanced
    return {}


def better_student(summary: Mapping[str, Any], path: str | Path) -> str:
    """Returns a sentence if another student is more accurate than *the* student, or nothing.

    Args:
        summary: the contents of `summary.json`.
        path: of the run's directory.
    """
    _, *students = summary["members"].items()
    name, student = students[-1]
    best, other = max(students, key=lambda item: item[1]["accuracy"])
    if other["accuracy"] <= student["accuracy"]:
        return ""
    return (
        f"{best} is more accurate than the student, {name}. To export it:\n"
        f"  orc-keras export --run={shlex.quote(str(path))} --member={best}"
    )


def describe_images(description: Mapping[str, Any]) -> str:
    """Returns one line about the images of a run, from `ImageData.description()`."""
    validation = description.get("validation_images")
    notes = [
        f"; {text}: {description[name]:,}" for name, text in NOTES.items() if description.get(name)
    ]
    if side := description.get("median_side"):
        notes.insert(0, f" (the median of the shorter sides is {side})")
    if skipped := description.get("skipped_files"):
        notes.append(f"; skipped files: {len(skipped):,} ({first_few(skipped.items())})")
    if folders := description.get("ignored_folders"):
        notes.append(f"; no classes, because of the dot: {', '.join(map(quoted, folders))}")
    return (
        f"Images: {description['train_images']:,} for training, "
        f"{f'{validation:,} for validation, ' if validation else ''}"
        f"{description['held_out_images']:,} held out (from {description['held_out_from']}); "
        f"{len(description['class_names'])} classes; "
        f"{' x '.join(map(str, description['image_shape']))}{''.join(notes)}"
    )
