"""The table of README.md and docs/results.md: python benchmarks/overview.py

The student alone, with a trained teacher (KD) and in a group with role change (ORC), on each data
set of docs/results, and the differences, Holm-corrected together.
"""

from pathlib import Path

import common

from orc_keras.compare import results, statistics
from orc_keras.formatting import markdown_table, signed

RECORDED = Path(__file__).parents[1] / "docs/results"
ROWS = {  # what is trained: files, and the names of alone, KD and ORC in them
    "CIFAR-100 at 16 × 16, 50,000 images, 30 epochs": ("cifar100_half", "alone,kd,orc"),
    "Fashion-MNIST at 14 × 14, 10,000 images, 30 epochs": ("fashion_10000", "alone,kd,orc"),
    "Fashion-MNIST, 1,000 images, 50 epochs": ("fashion", "alone,kd,orc"),
    "MNIST at 14 × 14, 1,000 images, 50 epochs": ("mnist mnist_best", "alone,kd,orc"),
    "Fashion-MNIST at 14 × 14, 500 images, pretrained networks": (
        *("few_images_50", "fine-tuned alone,pretrained kd,pretrained orc"),
    ),
}


def define_flags(values):
    """There are none."""


def main(values, arguments):
    compared = [_compared(files.split(), names.split(",")) for files, names in ROWS.values()]
    pairs = [pair for _, pairs in compared for pair in pairs]
    corrected = iter(statistics.holm([statistics.p_value(pair) for pair in pairs]))
    lines = []
    for name, (means, pairs) in zip(ROWS, compared):
        seeds = str(min(map(len, pairs)))
        lines.append([name, *means, *(_difference(pair, next(corrected)) for pair in pairs), seeds])
    head = ["images", "alone", "KD", "ORC", "KD minus alone", "ORC minus KD", "seeds"]
    print(markdown_table(head, lines))


def _compared(files, names):
    """Returns the student's mean accuracy by each name, and KD minus alone, ORC minus KD."""
    runs = [run for file in files for run in results.read(RECORDED / f"{file}.csv")]
    ours = results.Results(runs)
    means = [statistics.mean_and_error([*ours.accuracies(name).values()])[0] for name in names]
    pairs = [ours.differences(names[1], names[0]), ours.differences(names[2], names[1])]
    return [f"{100 * mean:.2f}" for mean in means], pairs


def _difference(pair, p):
    text = signed(*(100 * figure for figure in statistics.mean_and_interval(pair)))
    return f"**{text}**" if p < 1 - statistics.LEVEL else text


if __name__ == "__main__":
    common.start()
