"""The tables of a comparison, as Markdown and CSV."""

import csv
import math

from orc_keras.compare.plan import REFERENCES
from orc_keras.compare.results import mean_and_error
from orc_keras.groups.methods import METHODS
from orc_keras.runs.files import replacing


def write(results, directory):
    """Writes `results.md`, `results.csv` (the same) and `runs.csv` (a row for each run).

    Args:
        results: `Results`.
        directory: where to write, a `Path`.

    Returns:
        The text of `results.md`.
    """
    text = markdown(results)
    with replacing(directory / "results.md") as path:
        path.write_text(text, encoding="utf-8")
    _write_csv(directory / "results.csv", [row(results, name) for name in results.names])
    _write_csv(directory / "runs.csv", [each for n in results.names for each in _runs(results, n)])
    return text


def row(results, name):
    """Returns the numbers of one method or variant, by column."""
    accuracies = results.accuracies(name).values()
    mean, error = mean_and_error(accuracies)
    columns = {"name": name, "seeds": len(accuracies), "accuracy": mean, "standard_error": error}
    for reference in _references(results):
        compared = results.difference(name, reference) if name != reference else None
        difference, low, high = compared or (math.nan,) * 3
        columns |= {
            f"minus_{reference}": difference,
            f"minus_{reference}_low": low,
            f"minus_{reference}_high": high,
        }
    return columns | {"speed": results.speed(name, "alone") if "alone" in results.names else None}


def markdown(results):
    """Returns the tables as Markdown, with an explanation of the columns."""
    references = _references(results)
    head = ["", "student's accuracy", "seeds", *(f"minus {r}" for r in references), "speed"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for name in results.names:
        values = row(results, name)
        differences = [_difference(values, reference) for reference in references]
        accuracy = _with_error(values["accuracy"], values["standard_error"])
        speed = _number(values["speed"], "{:.2f}")
        lines.append([name, accuracy, str(values["seeds"]), *differences, speed])
    parts = [_as_table(lines), NOTE, _of_members(results)]
    if results.unfinished:
        parts.append(f"Runs that have not finished: {results.unfinished}.")
    return "\n\n".join(parts) + "\n"


NOTE = (
    "Accuracy on the held-out images in percent, mean ± standard error over the seeds. Differences "
    "in percentage points: mean over the seeds that both have, and its 95 % confidence interval "
    "(Student's t). Speed: images per second relative to alone, evaluation and the pivot's own "
    "training beforehand not counted; other runs may have been made at the same time."
)


def _of_members(results):
    """Returns the table of all members' accuracies."""
    members = results.members(results.names[0])
    lines = [["", *members], ["---", *["---:"] * len(members)]]
    for name in results.names:
        if results.members(name) == members:
            each = [mean_and_error(results.accuracies(name, m).values()) for m in members]
            lines.append([name, *(_with_error(*values) for values in each)])
    return _as_table(lines)


def _references(results):
    """Returns the baselines; with variants, orc too, since most are variants of it."""
    references = REFERENCES if set(results.names) <= set(METHODS) else (*REFERENCES, "orc")
    return [name for name in references if name in results.names]


def _difference(values, reference):
    mean, low, high = (values[f"minus_{reference}{end}"] for end in ("", "_low", "_high"))
    if math.isnan(mean):
        return ""
    interval = "" if math.isnan(low) else f" ({100 * low:+.2f} to {100 * high:+.2f})"
    return f"{100 * mean:+.2f}{interval}"


def _with_error(mean, error):
    return f"{100 * mean:.2f}" + ("" if math.isnan(error) else f" ± {100 * error:.2f}")


def _number(value, text):
    return "" if value is None or math.isnan(value) else text.format(value)


def _as_table(lines):
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _runs(results, name):
    for seed in results.seeds(name):
        of_members = {m: results.accuracies(name, m)[seed] for m in results.members(name)}
        yield {"name": name, "seed": seed, **of_members}


def _write_csv(path, rows):
    columns = list(dict.fromkeys(key for each in rows for key in each))
    with replacing(path) as unfinished, open(unfinished, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
