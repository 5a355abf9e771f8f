"""The tables of a comparison, as Markdown and CSV."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from orc_keras.compare import EFFECT, statistics
from orc_keras.compare.plan import BASELINES
from orc_keras.compare.results import Results
from orc_keras.files import atomic_write
from orc_keras.formatting import markdown_table, signed
from orc_keras.groups import METHODS

COLUMNS = (
    *("name", "minus", "seeds", "difference", "low", "high"),
    *("p", "p_corrected", "seeds_needed"),
)
NOTE = """\
Accuracy on the held-out images in percent, mean ± standard error over the seeds. Minutes: of \
training and evaluation, with the pivot's training beforehand (unless --pivot_weights names its \
weights); other runs may have trained at the same time. Differences in percentage points: mean \
over the seeds that both have, and its 95 % confidence interval (Student's t). Significant: \
p < {level:.2f} in the paired t-test, after Holm correction for all {number} differences here. \
Seeds: how many make a true difference of {effect:g} points significant with a power of 80 %, by \
itself, if seeds scatter as these do; a rough number."""


def write(results: Results, directory: Path, effect: float = EFFECT) -> str:
    """Writes `results.md`, and `results.csv` with a row for each difference; returns the former.

    The others are compared with the baselines; with variants, with orc too, since most are variants
    of it.
    """
    references = BASELINES if set(results.names) <= set(METHODS) else (*BASELINES, "orc")
    references = [name for name in references if name in results.names]
    text = markdown(results, references, effect)
    with atomic_write(directory / "results.md") as path:
        path.write_text(text, encoding="utf-8")
    with atomic_write(directory / "results.csv") as path, open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(differences(results, references, effect))
    return text


def differences(results: Results, references: Sequence[str], effect: float = EFFECT) -> list[dict]:
    """Returns the figures of each difference by column; accuracies from 0 to 1.

    All are compared with the references, each pair once. The p-values are corrected for the number
    of all.
    """
    pairs = {
        (name, reference): paired
        for number, reference in enumerate(references)
        for name in results.names
        if name not in references[: number + 1]
        if (paired := results.differences(name, reference))
    }
    p_values = [statistics.p_value(paired) for paired in pairs.values()]
    rows = []
    for (pair, paired), p, corrected in zip(pairs.items(), p_values, statistics.holm(p_values)):
        seeds = statistics.seeds_needed(paired, effect / 100)
        row = (*pair, len(paired), *statistics.mean_and_interval(paired), p, corrected, seeds)
        rows.append(dict(zip(COLUMNS, row)))
    return rows


def markdown(
    results: Results, references: Sequence[str], effect: float = EFFECT, note: bool = True
) -> str:
    """Returns the tables as Markdown, with an explanation of the columns unless not `note`."""
    rows = differences(results, references, effect)
    number = sum(not math.isnan(row["p"]) for row in rows)
    tables = [_accuracies(results)]
    for reference in references:
        if compared := [row for row in rows if row["minus"] == reference]:
            tables.append(_differences(compared, reference, effect))
    if note:
        tables.append(NOTE.format(level=1 - statistics.LEVEL, number=number, effect=effect))
    return "\n\n".join([*tables, _members(results)]) + "\n"


def _accuracies(results: Results) -> str:
    rows = []
    for name in results.names:
        accuracies, minutes = results.accuracies(name), results.minutes(name)
        minutes = "" if math.isnan(minutes) else f"{minutes:.1f}"
        rows.append([name, _percent(accuracies), str(len(accuracies)), minutes])
    return markdown_table(["", "accuracy", "seeds", "minutes"], rows)


def _differences(rows: list[dict], reference: str, effect: float) -> str:
    head = ["", f"minus {reference}", "significant", "p", f"seeds for {effect:g}"]
    cells = []
    for row in rows:
        p, seeds = row["p_corrected"], row["seeds_needed"]
        difference = signed(*(100 * row[key] for key in ("difference", "low", "high")))
        significant = "" if math.isnan(p) else "yes" if p < 1 - statistics.LEVEL else "no"
        if row["seeds"] < statistics.FEWEST_SEEDS:
            significant = "too few seeds"
        p = "" if math.isnan(p) else f"{p:.3f}" if p >= 0.001 else "< 0.001"
        cells.append([row["name"], difference, significant, p, f"{seeds or ''}"])
    return markdown_table(head, cells, "lrcrr")


def _members(results: Results) -> str:
    """Returns the table of all members' accuracies, of the methods with the first one's members."""
    members = list(results.parameters(results.names[0]))
    rows = [
        [name, *(_percent(results.accuracies(name, member)) for member in members)]
        for name in results.names
        if list(results.parameters(name)) == members
    ]
    return markdown_table(["", *members], rows)


def _percent(accuracies: dict[int, float]) -> str:
    """Returns the mean and its standard error, unless that is NaN."""
    mean, error = statistics.mean_and_error(list(accuracies.values()))
    return f"{100 * mean:.2f}" + ("" if math.isnan(error) else f" ± {100 * error:.2f}")
