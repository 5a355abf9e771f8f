"""The table of docs/results.md: python benchmarks/overview.py

The student alone, with a trained teacher (KD) and in a group with role change (ORC), in every trial
of docs/results, and the differences, Holm-corrected together. Most trials have ORC with
--pivot_learning_rate=1, some with the default. With --short, the rows and columns of README.md:
those of the default.
"""

from pathlib import Path

import common
import numpy as np

from orc_keras.compare import results, statistics
from orc_keras.formatting import markdown_table, signed

from absl import flags  # isort: skip

RECORDED = Path(__file__).parents[1] / "docs/results"


DEFAULT = "{}, pivot at a hundredth"  # ORC's name with the default


def _each(form):
    return ";".join(map(form.format, ("alone", "kd", "orc")))


ROWS = {  # what is trained: files, and the names of alone, KD and ORC in them
    "CIFAR-100 at 16 × 16, 50,000 images, 30 epochs": ("cifar100_half", "alone;kd;orc"),
    "CIFAR-10 at 16 × 16, 50,000 images, 20 epochs": ("cifar10", "alone;kd;orc"),
    "Fashion-MNIST at 14 × 14, 10,000 images, 30 epochs": ("fashion_10000", "alone;kd;orc"),
    "Fashion-MNIST, 1,000 images, 50 epochs": ("fashion", "alone;kd;orc"),
    "MNIST at 14 × 14, 1,000 images, 50 epochs": ("mnist mnist_best", "alone;kd;orc"),
    "Fashion-MNIST at 14 × 14, 1,000 images, 50 epochs": ("fashion_half", "alone;kd;orc"),
    "the same, 25 epochs": ("fashion_half", _each("{}, half as long")),
    "the same, 100 epochs": ("fashion_half", _each("{}, twice as long")),
    "the same, three ResNet8": ("fashion_half", _each("same size, {}")),
    "the same, ResNet56, 32, 20 and 8": ("wide_gap", "alone;kd;orc"),
    "the same, ResNet32, 26, 20, 14 and 8": ("five_members", "alone;kd;orc"),
    "Fashion-MNIST at 14 × 14, 1,000 images, another draw, 50 epochs": (
        "equal_weight",
        "alone;kd;orc",
    ),
    **{
        f"Fashion-MNIST at 14 × 14, {number} images per class, pretrained": (
            *(f"few_images_{number}", "fine-tuned alone;pretrained kd;pretrained orc"),
        )
        for number in (20, 50, 100)
    },
}
ORC, RATE_1 = "ORC", "ORC, pivot rate 1"
DIFFERENCES = {  # heads of columns: the columns whose difference they have
    "KD minus alone": ("KD", "alone"),
    "ORC minus KD": (ORC, "KD"),
    "ORC, pivot rate 1, minus KD": (RATE_1, "KD"),
}


def define_flags(values):
    flags.DEFINE_bool("short", False, "Only the trials of the default.", flag_values=values)


def main(values, arguments):
    trials = {trial: _compared(files, names.split(";")) for trial, (files, names) in ROWS.items()}
    pairs = [pair for _, differences in trials.values() for pair in differences.values()]
    corrected = iter(statistics.holm([statistics.p_value(pair) for pair in pairs]))
    rows = []
    for trial, (means, differences) in trials.items():
        texts = {name: difference(pair, next(corrected)) for name, pair in differences.items()}
        seeds = str(min(map(len, differences.values())))
        rows.append({"images": trial, **means, **texts, "seeds": seeds})
    head = ["images", "alone", "KD", ORC, RATE_1, *DIFFERENCES, "seeds"]
    if values.short:
        head = [name for name in head if not name.startswith(RATE_1)]
        rows = [row for row in rows if ORC in row]
    print(markdown_table(head, [[row.get(name, "") for name in head] for row in rows]))


def read(files):
    """Returns the runs of some files of docs/results, whose names are separated by spaces."""
    names = [RECORDED / f"{file}.csv" for file in files.split()]
    return results.Results([run for name in names for run in results.read(name)])


def _compared(files, names):
    """Returns the student's mean accuracies and their differences, by the heads of columns.

    They are those of the seeds that all of a row have.
    """
    runs = read(files)
    heads = {"alone": names[0], "KD": names[1], RATE_1: names[2], ORC: DEFAULT.format(names[2])}
    found = {head: runs.accuracies(name) for head, name in heads.items() if name in runs.names}
    seeds = sorted(set.intersection(*map(set, found.values())))
    values = {head: np.array([each[seed] for seed in seeds]) for head, each in found.items()}
    differences = {
        head: values[ours] - values[theirs]
        for head, (ours, theirs) in DIFFERENCES.items()
        if {ours, theirs} <= set(values)
    }
    return {head: f"{100 * each.mean():.2f}" for head, each in values.items()}, differences


def difference(pair, p):
    text = signed(*(100 * figure for figure in statistics.mean_and_interval(pair)))
    return f"**{text}**" if p < 1 - statistics.LEVEL else text


if __name__ == "__main__":
    common.start()
