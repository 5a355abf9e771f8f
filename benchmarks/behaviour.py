"""Who taught when, and what each class gained: python benchmarks/behaviour.py <folder> ...

The tables of docs/results.md beside Figures 3 and 4 of the paper. With --record=<comparison> the
files that they need, roles.csv and classes.csv, are written into the folder first, from the runs
of that directory.
"""

import csv
from pathlib import Path

import common
import numpy as np

from orc_keras import run_files
from orc_keras.compare.statistics import mean_and_interval
from orc_keras.formatting import markdown_table, signed
from orc_keras.runs import finished_run

from absl import flags  # isort: skip

PARTS = 5  # of training, in the table of roles
ROLES = ("name", "seed", "student", "part", "share")
CLASSES = ("name", "seed", "class", "accuracy")


ARGUMENTS = "a folder with roles.csv and classes.csv"


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_string("record", "", "Directory of a comparison, to take the files from.", **to)
    what = "Methods and variants whose accuracies by class are compared, the first with the others."
    flags.DEFINE_list("names", ["orc", "kd", "alone"], what, **to)
    flags.DEFINE_integer("difficult", 3, "How many classes are difficult.", 1, **to)


def main(values, folders):
    if values.record:
        record(Path(values.record), Path(folders[0]), values.names)
    rows = {
        name: [row for folder in folders for row in _read(Path(folder) / f"{name}.csv")]
        for name in ("roles", "classes")
    }
    print(f"{roles_table(rows['roles'])}\n\n{classes_table(rows['classes'], values)}")


def record(comparison, folder, of_classes):
    """Writes the files of the finished runs of a comparison."""
    summaries = sorted(comparison.glob(f"*/seed*/{run_files.SUMMARY}"))
    runs = [(path.parts[-3], finished_run(path.parent)) for path in summaries]
    folder.mkdir(parents=True, exist_ok=True)
    shares = (row for name, run in runs if run.has(run_files.ROLES) for row in _shares(name, run))
    _write(folder / "roles.csv", ROLES, shares)
    by_class = (row for name, run in runs if name in of_classes for row in _by_class(name, run))
    _write(folder / "classes.csv", CLASSES, by_class)


def _shares(name, run):
    """Yields the share of mini-batches that each student taught, by part of the training."""
    for part, roles in enumerate(np.array_split(run.roles, PARTS), 1):
        for place, student in enumerate(run.members[1:]):
            share = (roles == place).any(axis=1).mean()
            yield name, run.settings.seed, student, part, f"{share:.4f}"


def _by_class(name, run):
    class_names = run.summary["data"]["class_names"]
    predictions = run.evaluation.predictions[run.members[-1]]
    for class_name, accuracy in zip(class_names, predictions.accuracy_by_class(len(class_names))):
        yield name, run.settings.seed, class_name, f"{accuracy:.4f}"


def roles_table(rows):
    """Returns who taught, in percent of the mini-batches: mean over the seeds, by part."""
    head = ["", "student", *(f"part {part}" for part in range(1, PARTS + 1))]
    lines = []
    for name, student in dict.fromkeys((row["name"], row["student"]) for row in rows):
        ours = [row for row in rows if (row["name"], row["student"]) == (name, student)]
        parts = [[r["share"] for r in ours if r["part"] == str(p + 1)] for p in range(PARTS)]
        shares = [f"{100 * np.mean(np.array(part, float)):.0f}" for part in parts]
        lines.append([name.replace("_", " "), student, *shares])
    return markdown_table(head, lines, "ll" + "r" * PARTS)


def classes_table(rows, values):
    """Returns each method's accuracy on difficult classes and on the others, and differences.

    Difficult are those on which students are worst, on average over the methods and the seeds.
    """
    accuracy = {(r["name"], r["seed"], r["class"]): float(r["accuracy"]) for r in rows}
    classes = list(dict.fromkeys(row["class"] for row in rows))

    def mean_of(name, class_name):
        return np.mean([a for (n, _, c), a in accuracy.items() if (n, c) == (name, class_name)])

    # Not by one method: its own noise would select the classes on which it is then compared.
    means = {each: np.mean([mean_of(name, each) for name in values.names]) for each in classes}
    hardest = sorted(classes, key=means.get)
    parts = {"difficult": hardest[: values.difficult], "others": hardest[values.difficult :]}
    ours, *others = values.names
    head, lines = ["", *values.names, *(f"{ours} minus {other}" for other in others)], []
    for part, of_part in parts.items():
        means = [np.mean([mean_of(name, each) for each in of_part]) for name in values.names]
        cells = [f"{100 * mean:.2f}" for mean in means]
        cells += [_difference(accuracy, ours, other, of_part) for other in others]
        lines.append([f"{part}: {', '.join(of_part)}", *cells])
    return markdown_table(head, lines)


def _difference(accuracy, ours, other, classes):
    seeds = sorted({seed for name, seed, _ in accuracy if name == ours})
    paired = [
        100 * np.mean([accuracy[ours, s, c] - accuracy[other, s, c] for c in classes])
        for s in seeds
        if all((other, s, c) in accuracy for c in classes)
    ]
    return signed(*mean_and_interval(paired))


def _read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _write(path, columns, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


if __name__ == "__main__":
    common.start()
