"""The summary of a run: what is in `summary.json`, and what is printed of it."""

from collections.abc import Mapping
from typing import Any

from orc_keras.formatting import aligned_table

NOTEWORTHY = 0.005  # between accuracy and balanced accuracy

NUMBER = int | float
# The types of what the programs read from JSON, by key.
MEMBER = {
    "network": str,
    "role": str,
    "parameters": int,
    "accuracy": NUMBER,
    "top_5": NUMBER,
    "cross_entropy": NUMBER,
    "calibration_error": NUMBER,
    "taught": NUMBER | None,
}
DATA = {
    "image_shape": list,
    "class_names": list,
    "mean": list,
    "std": list,
    "augmentation": str,
    "resized": bool,
    "train_images": int,
    "held_out_images": int,
    "held_out_from": str,
}
SUMMARY = {
    "settings": {"dataset": str, "image_size": int, "batch_size": int, "epochs": int},
    "description": str,
    "versions": dict,
    "data": DATA,
    "members": dict,
}


def check_summary(summary: Any) -> dict[str, Any]:
    """Returns a summary; ValueError if an entry is missing or of another type."""
    check("summary.json", summary, SUMMARY)
    if not summary["members"]:
        raise ValueError("summary.json has no members.")
    for name, member in summary["members"].items():
        check(name, member, MEMBER)
    return summary


def check(name: str, contents: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns contents of JSON; ValueError if they are not a dict with the types of a schema."""
    if not isinstance(contents, dict):
        raise ValueError(f"{name} is not a dict.")
    for key, kind in schema.items():
        if key not in contents:
            raise ValueError(f"{name} has no {key}.")
        value = contents[key]
        if isinstance(kind, dict):
            check(key, value, kind)
        elif not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{name} has a wrong {key}, {value!r}.")
    return contents


def table(summary: Mapping[str, Any]) -> str:
    """Returns the table of a run's members as text.

    Balanced accuracy, the mean over classes, is in it where it differs by more than half a point,
    as with unequal classes.

    Args:
        summary: the contents of the run's `summary.json`.
    """
    members = summary["members"]
    roles = {n: f" ({m['role']})" * (m["role"] != "immature teacher") for n, m in members.items()}
    columns = {
        "member": [name + role for name, role in roles.items()],
        "parameters": [f"{member['parameters']:,}" for member in members.values()],
        "held-out accuracy": [f"{member['accuracy']:.2%}" for member in members.values()],
    }
    balanced = [m.get("balanced_accuracy", m["accuracy"]) for m in members.values()]
    if any(abs(b - m["accuracy"]) > NOTEWORTHY for b, m in zip(balanced, members.values())):
        columns["balanced"] = [f"{accuracy:.2%}" for accuracy in balanced]
    taught = [member["taught"] for member in members.values()]
    if any(share is not None for share in taught):
        columns["taught"] = ["always" if share is None else f"{share:.1%}" for share in taught]
    return aligned_table([tuple(columns), *zip(*columns.values())])


def describe_images(description: Mapping[str, Any]) -> str:
    """Returns one line about the images of a run, from `ImageData.description()`."""
    validation = description.get("validation_images")
    notes = [
        f"; {name.replace('_', ' ')}: {description[name]:,}"
        for name in ("ignored_files", "images_with_alpha", "images_with_16_bits")
        if description.get(name)
    ]
    if folders := description.get("ignored_folders"):
        notes.append(f"; no classes, because of the dot: {', '.join(folders)}")
    return (
        f"Images: {description['train_images']:,} for training, "
        f"{f'{validation:,} for validation, ' if validation else ''}"
        f"{description['held_out_images']:,} held out (from {description['held_out_from']}); "
        f"{len(description['class_names'])} classes; "
        f"{' x '.join(map(str, description['image_shape']))}{''.join(notes)}"
    )
