"""The tables of a report: lists of rows, dicts of text by column."""

from collections.abc import Sequence

import numpy as np

from orc_keras.report.comparison import Comparison
from orc_keras.report.plots import MATRIX_CLASSES
from orc_keras.report.run_contents import RunContents
from orc_keras.runs import summary
from orc_keras.runs.predictions import TOP

WORST_CLASSES = 20  # in a table, of more than `MATRIX_CLASSES`
Rows = list[dict[str, str]]


def members(run: RunContents, others: Sequence[RunContents]) -> Rows:
    """Returns the measures of each member, with its accuracy in other runs.

    Balanced accuracy and top-5 accuracy are there where they say more than accuracy.
    """
    rows = []
    balanced = summary.balanced_accuracies(run.summary) if run.summary else {}
    for name in run.members:
        row = {"member": name}
        if run.summary:
            member = run.summary["members"][name]
            role = member["role"]
            row = {
                "member": name if role == "immature teacher" else f"{name} ({role})",
                "parameters": f"{member['parameters']:,}",
                "top-1": f"{member['accuracy']:.2%}",
            }
            if member.get("accuracy_before") is not None:
                row["top-1 as it came"] = f"{member['accuracy_before']:.2%}"
            if balanced:
                row["balanced"] = f"{balanced[name]:.2%}"
            if len(run.class_names) > TOP:
                row["top-5"] = f"{member['top_5']:.2%}"
            row["cross-entropy"] = f"{member['cross_entropy']:.4f}"
            row["calibration error"] = f"{member['calibration_error']:.2%}"
            if member["taught"] is not None:
                row["taught"] = f"{member['taught']:.1%}"
        for other in others:
            if name in other.predictions:
                row[f"top-1 in {other.name}"] = f"{other.predictions[name].accuracy():.2%}"
        rows.append(row)
    return rows


def classes(run: RunContents) -> Rows:
    """Returns the student's accuracy by class, lowest first, and what each is taken for most often.

    Of many classes, those of lowest accuracy; classes without held-out images are left out.
    """
    matrix, rows = run.confusion_matrix, []
    if matrix is None:
        return rows
    number, hits = matrix.sum(axis=1), matrix.diagonal()
    known = np.flatnonzero(number)
    for i in known[np.argsort(hits[known] / number[known], kind="stable")][: _shown(matrix)]:
        wrong = np.where(np.arange(len(matrix)) == i, 0, matrix[i])
        other = run.class_names[wrong.argmax()]
        rows.append(
            {
                "class": run.class_names[i],
                "images": f"{number[i]:,}",
                "accuracy": f"{hits[i] / number[i]:.2%}",
                "most often taken for": f"{other} ({wrong.max():,})" if wrong.any() else "",
            }
        )
    return rows


def _shown(matrix: np.ndarray) -> int:
    """Returns how many classes the table shows: all that the plot of the matrix has, or fewer."""
    return len(matrix) if len(matrix) <= MATRIX_CLASSES else WORST_CLASSES


def shares_taught(run: RunContents) -> Rows:
    """Returns the share of mini-batches that each student taught at each learning rate."""
    if run.taught is None:
        return []
    rows = []
    for first, last in run.learning_rate_intervals():
        phase = run.taught[:, (first - 1) * run.steps_per_epoch : last * run.steps_per_epoch]
        shares = phase.mean(axis=1).filled(np.nan)
        texts = ["unknown" if np.isnan(share) else f"{share:.1%}" for share in shares]
        rates = [f"{run.history['learning_rate'][epoch - 1]:g}" for epoch in (first, last)]
        row = {"epochs": f"{first} to {last}", "learning rate": " to ".join(dict.fromkeys(rates))}
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
