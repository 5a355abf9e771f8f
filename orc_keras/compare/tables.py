"""The tables of a comparison, as Markdown and CSV."""

import csv
import math

from orc_keras.compare import DETECTED
from orc_keras.compare.plan import REFERENCES
from orc_keras.compare.statistics import LEVEL, holm, mean_and_error
from orc_keras.files import replacing
from orc_keras.formatting import markdown_table, signed
from orc_keras.groups import METHODS


def write(results, directory, detected=DETECTED, unfinished=0):
    """Writes `results.md`, and `results.csv` with a row for each difference.

    Args:
        results: `Results`.
        directory: where to write, a `Path`.
        detected: as in `markdown`.
        unfinished: the number of runs that have not finished.

    Returns:
        The text of `results.md`.
    """
    text = markdown(results, detected=detected)
    if unfinished:
        text += f"\nRuns that have not finished: {unfinished}.\n"
    with replacing(directory / "results.md") as path:
        path.write_text(text, encoding="utf-8")
    with replacing(directory / "results.csv") as path, open(path, "w", newline="") as file:
        rows = differences(results, references_of(results), detected)
        writer = csv.DictWriter(file, rows[0] if rows else ["name"])
        writer.writeheader()
        writer.writerows(rows)
    return text


def references_of(results):
    """Returns the baselines; with variants, orc too, since most are variants of it."""
    references = REFERENCES if set(results.names) <= set(METHODS) else (*REFERENCES, "orc")
    return [name for name in references if name in results.names]


def differences(results, references, detected=DETECTED):
    """Returns the figures of each difference, dicts by column; accuracies from 0 to 1.

    Each pair of methods is there once. All p-values are corrected for the number of all.

    Args:
        results: `Results`.
        references: the names that the others are compared with.
        detected: as in `markdown`.
    """
    pairs = [
        results.difference(name, reference)
        for number, reference in enumerate(references)
        for name in results.names
        if name not in references[: number + 1]
    ]
    pairs = [pair for pair in pairs if pair]
    corrected = holm([pair.p() for pair in pairs])
    return [_figures(pair, p, detected) for pair, p in zip(pairs, corrected)]


def _figures(pair, p, detected):
    mean, low, high = pair.interval().tolist()
    return {
        "name": pair.name,
        "minus": pair.reference,
        "seeds": len(pair.values),
        "difference": mean,
        "low": low,
        "high": high,
        "p": pair.p(),
        "p_corrected": p,
        "seeds_needed": pair.seeds_needed(detected / 100),
    }


def markdown(results, references=None, detected=DETECTED):
    """Returns the tables as Markdown, with an explanation of the columns.

    Args:
        results: `Results`.
        references: the names that the others are compared with; None: `references_of(results)`.
        detected: percentage points, of the column that says how many seeds tell such a difference.
    """
    references = references_of(results) if references is None else references
    rows = differences(results, references, detected)
    parts = [_accuracies(results)]
    for reference in references:
        if of_reference := [row for row in rows if row["minus"] == reference]:
            parts.append(_compared(of_reference, reference, detected))
    parts += [_note(sum(not math.isnan(row["p"]) for row in rows), detected), _of_members(results)]
    return "\n\n".join(parts) + "\n"


def _note(number, detected):
    return (
        "Accuracy on the held-out images in percent, mean ± standard error over the seeds. "
        "Minutes: of training, with evaluations and the pivot's training beforehand (unless it was "
        "given); other runs may have been made at the same time. Differences in percentage "
        "points: mean over the seeds that both have, and its 95 % confidence interval (Student's "
        "t). Significant: whether p, of the paired t-test and corrected for all "
        f"{number} differences here (Holm), is below {1 - LEVEL:.2f}. Seeds: how many would tell a "
        f"true difference of {detected:g} points from chance in four of five attempts, by itself, "
        "if seeds scatter as these do; a rough number."
    )


def _accuracies(results):
    rows = []
    for name in results.names:
        values = results.accuracies(name).values()
        minutes = results.minutes(name)
        minutes = "" if math.isnan(minutes) else f"{minutes:.1f}"
        rows.append([name, _with_error(*mean_and_error(values)), str(len(values)), minutes])
    return markdown_table(["", "accuracy", "seeds", "minutes"], rows)


def _compared(rows, reference, detected):
    head = ["", f"minus {reference}", "significant", "p", f"seeds for {detected:g}"]
    lines = []
    for row in rows:
        p, needed = row["p_corrected"], row["seeds_needed"]
        significant = "" if math.isnan(p) else "yes" if p < 1 - LEVEL else "no"
        text = "" if math.isnan(p) else f"{p:.3f}" if p >= 0.001 else "< 0.001"
        difference = signed(*(100 * row[key] for key in ("difference", "low", "high")))
        lines.append([row["name"], difference, significant, text, f"{needed or ''}"])
    return markdown_table(head, lines, "lrcrr")


def _of_members(results):
    """Returns the table of all members' accuracies."""
    members = results.members(results.names[0])
    lines = []
    for name in results.names:
        if results.members(name) == members:
            each = [mean_and_error(results.accuracies(name, m).values()) for m in members]
            lines.append([name, *(_with_error(*values) for values in each)])
    return markdown_table(["", *members], lines)


def _with_error(mean, error):
    return f"{100 * mean:.2f}" + ("" if math.isnan(error) else f" ± {100 * error:.2f}")
