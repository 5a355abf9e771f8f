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
        name: [row for folder in folders for row in read(Path(folder) / f"{name}.csv")]
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
    """Returns each method's accuracy on difficult classes and on the others, and differences."""
    accuracy = by_class(rows)
    ours, *others = values.names
    head, lines = ["", *values.names, *(f"{ours} minus {other}" for other in others)], []
    hardest = hardest_first(accuracy, values.names)
    parts = {"difficult": hardest[: values.difficult], "others": hardest[values.difficult :]}
    for part, classes in parts.items():
        means = [
            np.mean([_mean(accuracy, name, each) for each in classes]) for name in values.names
        ]
        cells = [f"{100 * mean:.2f}" for mean in means]
        for other in others:
            pairs = differences(accuracy, ours, other, classes)
            cells.append(signed(*(100 * figure for figure in mean_and_interval(pairs))))
        lines.append([f"{part}: {', '.join(classes)}", *cells])
    return markdown_table(head, lines)


def by_class(rows):
    """Returns the accuracy by method, seed and class, from the rows of classes.csv."""
    return {(row["name"], row["seed"], row["class"]): float(row["accuracy"]) for row in rows}


def hardest_first(accuracy, names):
    """Returns the classes, those first on which students are worst, over methods and seeds.

    Not by one method: its own noise would select the classes on which it is then compared.
    """
    classes = dict.fromkeys(key[2] for key in accuracy)
    return sorted(classes, key=lambda each: np.mean([_mean(accuracy, n, each) for n in names]))


def _mean(accuracy, name, class_name):
    return np.mean([a for (n, _, c), a in accuracy.items() if (n, c) == (name, class_name)])


def differences(accuracy, ours, other, classes):
    """Returns the difference of two methods on some classes, by each seed that both have."""
    seeds = sorted({seed for name, seed, _ in accuracy if name == ours})
    return [
        np.mean([accuracy[ours, s, c] - accuracy[other, s, c] for c in classes])
        for s in seeds
        if all((other, s, c) in accuracy for c in classes)
    ]


def read(path):
    """Returns the rows of a CSV file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _write(path, columns, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


if __name__ == "__main__":
    common.start()
