"""The tables of a report: lists of rows, dicts of text by column."""

from collections.abc import Sequence

import numpy as np

from orc_keras.report.comparison import Comparison
from orc_keras.report.run_contents import RunContents

Rows = list[dict[str, str]]


def members(run: RunContents, others: Sequence[RunContents]) -> Rows:
    """Returns the measures of each member, with its accuracy in other runs."""
    rows = []
    for name in run.members:
        row = {"member": name}
        if run.summary:
            member = run.summary["members"][name]
            role = member["role"]
            row = {
                "member": name if role == "immature teacher" else f"{name} ({role})",
                "parameters": f"{member['parameters']:,}",
                "top-1": f"{member['accuracy']:.2%}",
                "top-5": f"{member['top_5']:.2%}",
                "cross-entropy": f"{member['cross_entropy']:.4f}",
                "calibration error": f"{member['calibration_error']:.2%}",
            }
            if member["taught"] is not None:
                row["taught"] = f"{member['taught']:.1%}"
        for other in others:
            if name in other.predictions:
                row[f"top-1 in {other.name}"] = f"{other.predictions[name].accuracy():.2%}"
        rows.append(row)
    return rows


def shares_taught(run: RunContents) -> Rows:
    """Returns the share of mini-batches that each student taught at each learning rate."""
    if run.taught is None:
        return []
    rows = []
    for first, last, rate in run.learning_rate_intervals():
        phase = run.taught[:, (first - 1) * run.steps_per_epoch : last * run.steps_per_epoch]
        shares = phase.mean(axis=1).filled(np.nan)
        texts = ["unknown" if np.isnan(share) else f"{share:.1%}" for share in shares]
        row = {"epochs": f"{first} to {last}", "learning rate": f"{rate:g}"}
        rows.append(row | dict(zip(run.students, texts)))
    return rows


def changes(comparison: Comparison) -> Rows:
    """Returns the change of accuracy on difficult and on other classes."""
    rows = []
    for name in comparison.students:
        for label, classes in (("difficult", comparison.difficult), ("other", comparison.others)):
            if not classes:
                continue
            before, after, error = comparison.change(name, classes)
            rows.append(
                {
                    "student": name,
                    "classes": label,
                    "before": f"{before:.2%}",
                    "after": f"{after:.2%}",
                    "change, points": f"{100 * (after - before):+.2f} ± {100 * error:.2f}",
                }
            )
    return rows
