"""The text and the tables of a report."""

import base64
import io
import math

import numpy as np
from PIL import Image

from orc_keras.evaluate.whole_group import EXAMPLES


def lead(run):
    """Returns the sentence at the top."""
    if not run.summary:
        epochs = len(run.epochs)
        return f"A run that has not finished: {epochs} of {run.settings.epochs} epochs."
    members, data = run.summary["members"], run.summary["data"]
    return (
        f"{run.student} classifies {members[run.student]['accuracy']:.2%} of "
        f"{data['held_out_images']:,} held-out images of {run.settings.dataset} correctly. It "
        f"learnt from {data['train_images']:,} images in {run.settings.epochs} epochs, in a "
        f"group of {len(members)}. Method: {run.summary['description']}."
    )


def members(run, others):
    """Returns the rows of the table of members, dicts of text by column."""
    if run.summary:
        rows = members_of_summary(run.summary, run.members)
    else:
        rows = [{"member": name} | _of_history(run.history, name) for name in run.members]
    for name, row in zip(run.members, rows):
        for other in others:
            if name in other.predictions:
                row[f"top-1 in {other.name}"] = f"{other.predictions[name].accuracy():.2%}"
    return rows


def _of_history(history, name):
    known = [a for a in history.get(f"val_{name}_accuracy", []) if not math.isnan(a)]
    return {"top-1": f"{known[-1]:.2%}"} if known else {}


def members_of_summary(summary, names):
    """Returns the rows of `members` from a run's summary; KeyError if it is incomplete."""
    return [_of_summary(name, summary["members"][name]) for name in names]


def _of_summary(name, member):
    row = {
        "member": name if member["role"] == "immature teacher" else f"{name} ({member['role']})",
        "parameters": f"{member['parameters']:,}",
        "top-1": f"{member['accuracy']:.2%}",
        "top-5": f"{member['top_5']:.2%}",
        "cross-entropy": f"{member['cross_entropy']:.4f}",
        "calibration error": f"{member['calibration_error']:.2%}",
    }
    return row | ({} if member["taught"] is None else {"taught": f"{member['taught']:.1%}"})


def phases(run):
    """Returns the rows of the table of shares taught by learning rate."""
    if run.roles is None or not run.data:
        return []
    steps, rows = run.mini_batches_per_epoch(), []
    for first, last, rate in run.phases():
        shares = run.taught((first - 1) * steps, last * steps)
        rows.append(
            {
                "epochs": f"{first} to {last}",
                "learning rate": f"{rate:g}",
                **{
                    name: "unknown" if np.isnan(share) else f"{share:.1%}"
                    for name, share in zip(run.students, shares)
                },
            }
        )
    return rows


def changes(comparison):
    """Returns the rows of the table of changes on difficult and on other classes."""
    if not comparison:
        return []
    others = comparison.hardest_first[len(comparison.difficult) :]
    parts = {"difficult": comparison.difficult, "other": others}
    rows = []
    for name in comparison.students:
        for part, classes in parts.items():
            if not classes:
                continue
            before, after, error = comparison.change(name, classes)
            rows.append(
                {
                    "student": name,
                    "classes": part,
                    "before": f"{before:.2%}",
                    "after": f"{after:.2%}",
                    "change, points": f"{100 * (after - before):+.2f} ± {100 * error:.2f}",
                }
            )
    return rows


def confusions(run):
    """Returns the pairs of classes that the student confuses most, with some of the images."""
    predictions = run.predictions.get(run.student)
    if not predictions or not run.class_names:
        return []
    names = run.class_names
    return [
        {
            "classes": (names[one], names[other]),
            "number": len(wrong),
            "images": [
                {
                    "picture": _as_uri(run.examples[i]),
                    "true": names[predictions.labels[i]],
                    "predicted": names[predictions.predicted[i]],
                    "confidence": f"{predictions.confidence[i]:.0%}",
                }
                for i in wrong[:EXAMPLES].tolist()
                if i in run.examples
            ],
        }
        for one, other, wrong in predictions.confusions()
    ]


def _as_uri(image):
    file = io.BytesIO()
    Image.fromarray(np.asarray(image)).save(file, format="png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
