"""Summaries of a run: the line about its images, the final table, `summary.json`."""

from orc_keras.formatting import aligned_table

NOTEWORTHY = 0.005  # between accuracy and balanced accuracy


def table(summary):
    """Returns the table of a run's members as text.

    Balanced accuracy, the mean over classes, is in it where it differs by more than half a point,
    as with unequal classes.

    Args:
        summary: the contents of the run's `summary.json`.
    """
    members = summary["members"].values()
    teach = any(member["taught"] is not None for member in members)
    unequal = any(abs(_balanced(m) - m["accuracy"]) > NOTEWORTHY for m in members)
    more = [*["balanced"] * unequal, *["taught"] * teach]
    rows = [("member", "parameters", "held-out accuracy", *more)]
    for name, member in summary["members"].items():
        role = "" if member["role"] == "immature teacher" else f" ({member['role']})"
        taught = "always" if member["taught"] is None else f"{member['taught']:.1%}"
        more = [*[f"{_balanced(member):.2%}"] * unequal, *[taught] * teach]
        row = (name + role, f"{member['parameters']:,}", f"{member['accuracy']:.2%}")
        rows.append((*row, *more))
    return aligned_table(rows)


def _balanced(member):
    return member.get("balanced_accuracy", member["accuracy"])  # old runs have none


MEMBER = {
    "network": str,
    "role": str,
    "parameters": int,
    "accuracy": float,
    "top_5": float,
    "cross_entropy": float,
    "calibration_error": float,
    "taught": float | None,
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
SETTINGS = {
    "dataset": str,
    "data_dir": str,
    "image_size": int,
    "validation_fraction": float,
    "batch_size": int,
    "epochs": int,
}
WHOLE = {"settings": dict, "description": str, "versions": dict, "data": dict, "members": dict}


def checked(summary):
    """Returns the contents of a `summary.json` if they are valid.

    Raises:
        ValueError: if an entry is missing or of another type; the message names it.
    """
    _check("summary.json", summary, WHOLE)
    checked_data(summary["data"])
    if not summary["members"]:
        raise ValueError("summary.json has no members.")
    for name, member in summary["members"].items():
        _check(name, member, MEMBER)
    _check("settings", summary["settings"], SETTINGS)
    return summary


def checked_data(data):
    """Returns the description of a run's images if it is valid; errors as in `checked`."""
    _check("data", data, DATA)
    return data


def _check(what, given, types):
    if not isinstance(given, dict):
        raise ValueError(f"{what} is not a dict.")
    for key, kind in types.items():
        if key not in given:
            raise ValueError(f"{what} has no {key}.")
        kinds = kind | int if kind is float else kind
        if not isinstance(given[key], kinds) or (isinstance(given[key], bool) and kind is not bool):
            raise ValueError(f"{what} has a wrong {key}, {given[key]!r}.")


def data(description):
    """Returns one line about the images of a run.

    Args:
        description: `ImageData.description()`.
    """
    shape = " x ".join(map(str, description["image_shape"]))
    counts = {
        name: description.get(name, 0)
        for name in ("ignored_files", "images_with_alpha", "images_with_16_bits")
    }
    noted = [f"; {name.replace('_', ' ')}: {count:,}" for name, count in counts.items() if count]
    apart = description.get("validation_images")
    apart = f"{apart:,} for validation, " if apart else ""
    if folders := description.get("ignored_folders"):
        noted.append(f"; no classes, because of the dot: {', '.join(folders)}")
    return (
        f"Images: {description['train_images']:,} for training, {apart}"
        f"{description['held_out_images']:,} held out (from {description['held_out_from']}); "
        f"{len(description['class_names'])} classes; {shape}{''.join(noted)}"
    )
