"""The table of docs/results.md: python benchmarks/overview.py

The student alone, with a trained teacher (KD) and in a group with role change (ORC), in every trial
of docs/results that has all three, and the differences, Holm-corrected together. With --short, the
rows of README.md.
"""

from pathlib import Path

import common

from orc_keras.compare import results, statistics
from orc_keras.formatting import markdown_table, signed

from absl import flags  # isort: skip

RECORDED = Path(__file__).parents[1] / "docs/results"


def _each(form):
    return ";".join(map(form.format, ("alone", "kd", "orc")))


ROWS = {  # what is trained: files, and the names of alone, KD and ORC in them
    "CIFAR-100 at 16 × 16, 50,000 images, 30 epochs": ("cifar100_half", "alone;kd;orc"),
    "Fashion-MNIST at 14 × 14, 10,000 images, 30 epochs": ("fashion_10000", "alone;kd;orc"),
    "Fashion-MNIST, 1,000 images, 50 epochs": ("fashion", "alone;kd;orc"),
    "MNIST at 14 × 14, 1,000 images, 50 epochs": ("mnist mnist_best", "alone;kd;orc"),
    "Fashion-MNIST at 14 × 14, 1,000 images, 50 epochs": ("fashion_half", "alone;kd;orc"),
    "the same, 25 epochs": ("fashion_half", _each("{}, half as long")),
    "the same, 100 epochs": ("fashion_half", _each("{}, twice as long")),
    "the same, three ResNet8": ("fashion_half", _each("same size, {}")),
    "the same, ResNet56, 32, 20 and 8": ("wide_gap", "alone;kd;orc"),
    "the same, ResNet32, 26, 20, 14 and 8": ("five_members", "alone;kd;orc"),
    **{
        f"Fashion-MNIST at 14 × 14, {number} images per class, pretrained": (
            *(f"few_images_{number}", "fine-tuned alone;pretrained kd;pretrained orc"),
        )
        for number in (20, 50, 100)
    },
}
SHORT = 5  # the rows of README.md, of one group


def define_flags(values):
    flags.DEFINE_bool("short", False, "Only the rows of README.md.", flag_values=values)


def main(values, arguments):
    compared = [_compared(files, names.split(";")) for files, names in ROWS.values()]
    pairs = [pair for _, pairs in compared for pair in pairs]
    corrected = iter(statistics.holm([statistics.p_value(pair) for pair in pairs]))
    lines = []
    for name, (means, pairs) in zip(ROWS, compared):
        seeds = str(min(map(len, pairs)))
        lines.append([name, *means, *(_difference(pair, next(corrected)) for pair in pairs), seeds])
    head = ["images", "alone", "KD", "ORC", "KD minus alone", "ORC minus KD", "seeds"]
    print(markdown_table(head, lines[: SHORT if values.short else None]))


def read(files):
    """Returns the runs of some files of docs/results, whose names are separated by spaces."""
    names = [RECORDED / f"{file}.csv" for file in files.split()]
    return results.Results([run for name in names for run in results.read(name)])


def _compared(files, names):
    """Returns the student's mean accuracy by each name, and KD minus alone, ORC minus KD."""
    ours = read(files)
    means = [statistics.mean_and_error([*ours.accuracies(name).values()])[0] for name in names]
    pairs = [ours.differences(names[1], names[0]), ours.differences(names[2], names[1])]
    return [f"{100 * mean:.2f}" for mean in means], pairs


def _difference(pair, p):
    text = signed(*(100 * figure for figure in statistics.mean_and_interval(pair)))
    return f"**{text}**" if p < 1 - statistics.LEVEL else text


if __name__ == "__main__":
    common.start()
