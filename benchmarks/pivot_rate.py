"""How fast ORC's pivot learns on in the group, a table of docs/results.md.

python benchmarks/pivot_rate.py

The student's accuracy with a slower pivot and with a frozen one, minus that with one that learns at
the students' rate; with a frozen one minus KD; and the accuracy of the pivot itself. In every trial
of docs/results that has one of them; Holm-corrected together.
"""

import common
from overview import DEFAULT, difference, read

from orc_keras.compare import statistics
from orc_keras.formatting import markdown_table

PRETRAINED = "Fashion-MNIST at 14 × 14, {} images per class, pretrained"
TRIALS = {  # images: files
    "CIFAR-100 at 16 × 16, 50,000 images": "cifar100_half",
    "CIFAR-10 at 16 × 16, 50,000 images": "cifar10",
    "Fashion-MNIST at 14 × 14, 10,000 images": "fashion_10000",
    "Fashion-MNIST at 14 × 14, 1,000 images": "fashion_half",
    "MNIST at 14 × 14, 1,000 images": "mnist mnist_best",
    **{PRETRAINED.format(number): f"few_images_{number}" for number in (20, 50, 100)},
    PRETRAINED.format("50") + ", again": "pivot_rate",
}
ORC = ("pretrained orc", "orc")  # the first that a trial has
KD = ("pretrained kd", "kd")
TENTH = ("orc, pivot at a tenth", "pivot at a tenth", "pretrained orc, pivot at a tenth")
HUNDREDTH = tuple(DEFAULT.format(name) for name in ORC)
FROZEN = ("orc, pivot frozen", "without intensive teaching", "pretrained orc, pivot frozen")
COLUMNS = {  # the names of both, and whose accuracy it is
    "rate 0.1": (TENTH, ORC, -1),
    "rate 0.01": (HUNDREDTH, ORC, -1),
    "frozen": (FROZEN, ORC, -1),
    "frozen, minus KD": (FROZEN, KD, -1),
    "the pivot, rate 1, minus before": (ORC, KD, 0),
    "the pivot, rate 0.01, minus before": (HUNDREDTH, KD, 0),
}


def define_flags(values):
    """There are none."""


def main(values, arguments):
    pairs = {}
    for trial, files in TRIALS.items():
        runs = read(files)
        for column, how in COLUMNS.items():
            if found := _differences(runs, *how):
                pairs[trial, column] = found
    corrected = statistics.holm([statistics.p_value(each) for each in pairs.values()])
    texts = {key: difference(each, p) for (key, each), p in zip(pairs.items(), corrected)}
    rows = [[trial, *(texts.get((trial, name), "") for name in COLUMNS)] for trial in TRIALS]
    print(markdown_table(["images", *COLUMNS], rows))


def _differences(runs, ours, theirs, position):
    """Returns the differences of a member between two trainings that have several names."""
    found = [[name for name in names if name in runs.names][:1] for names in (ours, theirs)]
    if not all(found):
        return []
    a, b = (runs.accuracies(name, [*runs.parameters(name)][position]) for (name,) in found)
    return [a[seed] - b[seed] for seed in a if seed in b]


if __name__ == "__main__":
    common.start()
