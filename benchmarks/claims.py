"""The paper's claims beside our figures, the table of docs/results.md: python benchmarks/claims.py

Each difference is taken so that the paper's claim makes it positive. The first table has ORC's
student minus every other method's and minus that of ORC with a frozen pivot, in each trial, by the
pivot's learning rate in the group; bold: significant. The second one has the parts of ORC;
"reproduced" and "contradicted" are significant differences. Each table is Holm-corrected for its
differences.
"""

from typing import NamedTuple

import behaviour
import common
import numpy as np
from overview import DEFAULT, RECORDED, read

from orc_keras.compare import statistics
from orc_keras.formatting import markdown_table, signed


class Claim(NamedTuple):
    """A row: of which table or figure, what is claimed, and the difference that shows it."""

    where: str
    claim: str
    better: str = "orc"
    worse: str = ""


P = 1 - statistics.LEVEL
METHODS = {name: (name,) for name in ("alone", "kd", "takd", "dgkd", "dml", "kdcl")}  # tables 2, 3
METHODS |= {"orc, pivot frozen": ("orc, pivot frozen", "without intensive teaching")}  # its names
RATES = {"1": "orc", "0.01": DEFAULT.format("orc")}  # the pivot's in the group, and ORC's names
TRIALS = {  # images or members, and the files
    "CIFAR-100 at 16 × 16, 50,000 images": "cifar100_half",
    "CIFAR-10 at 16 × 16, ResNet26, 20, 14 and 8": "cifar10",
    "Fashion-MNIST at 14 × 14, 1,000 images": "fashion_half",
    "Fashion-MNIST at 14 × 14, 1,000 images, another draw": "equal_weight",
    "Fashion-MNIST at 14 × 14, 10,000 images": "fashion_10000",
    "Fashion-MNIST, 1,000 images": "fashion",
    "MNIST at 14 × 14, 1,000 images": "mnist mnist_best",
    "Fashion-MNIST at 14 × 14, ResNet56, 32, 20 and 8": "wide_gap",
    "Fashion-MNIST at 14 × 14, ResNet32, 26, 20, 14 and 8": "five_members",
}
CLAIMS = [
    Claim("5", "intensive teaching helps", worse="without intensive teaching"),
    Claim("5", "private teaching helps", worse="without private teaching"),
    Claim("5", "group teaching helps", worse="without group teaching"),
    Claim("6", "individual teachers beat their ensemble", worse="ensemble of teachers"),
    Claim("7", "roles that change beat a deep fixed teacher", worse="resnet14 always teaches"),
    Claim(
        "S7", "roles change at every step, not once an epoch", worse="roles change once an epoch"
    ),
    Claim("S7", "the same, not every 10 epochs", worse="roles change every 10 epochs"),
    Claim("8", "ORC beats dml, members of one size", "same size, orc", "same size, dml"),
    Claim("8", "ORC beats kdcl, members of one size", "same size, orc", "same size, kdcl"),
    Claim("9", "mixed feedback beats training samples only", worse="training samples only"),
    Claim("9", "mixed feedback beats feedback only", worse="feedback only"),
    Claim(
        "10",
        "one temporary teacher beats two, three students",
        "three students",
        "three students, k 2",
    ),
]
FIGURES = {
    ("S, F1", "ORC beats alone on the three most difficult classes"): lambda: _difficult("."),
    ("S, F1", "the same with ResNet56 as the pivot"): lambda: _difficult("wide_gap"),
    ("F4", "the smallest student is promoted at least as often as the other"): lambda: _share(),
}


def define_flags(values):
    """There are none."""


def main(values, arguments):
    print(f"{_methods()}\n\n{_parts()}")


def _methods():
    """Returns the table of ORC's student minus each method's, by trial and learning rate."""
    tested = _tested(
        {
            (trial, rate, method): runs.differences(orc, name)
            for trial, runs in ((trial, read(files)) for trial, files in TRIALS.items())
            for rate, orc in RATES.items()
            if orc in runs.names
            for method, names in METHODS.items()
            for name in names
            if name in runs.names
        }
    )
    texts = {key: f"**{text}**" if p < P else text for key, (_, text, p) in tested.items()}
    rows = dict.fromkeys(key[:2] for key in tested)
    lines = [[*row, *(texts.get((*row, name), "") for name in METHODS)] for row in rows]
    return markdown_table(["ORC minus", "pivot rate", *METHODS], lines)


def _parts():
    """Returns the table of the other claims."""
    recorded = read("fashion_half")
    rows = {(c.where, c.claim): recorded.differences(c.better, c.worse) for c in CLAIMS}
    rows |= {key: pairs() for key, pairs in FIGURES.items()}
    lines = []
    for (where, claim), (mean, text, p) in _tested(rows).items():
        verdict = "reproduced" if mean > 0 else "contradicted"
        lines.append([where, claim, text, verdict if p < P else "not significant"])
    return markdown_table(["table", "the paper's claim", "ours", "verdict"], lines, "llrl")


def _tested(rows):
    """Returns of each difference its mean, it and its interval as text, and the corrected p."""
    corrected = statistics.holm([statistics.p_value(pairs) for pairs in rows.values()])
    figures = [[100 * f for f in statistics.mean_and_interval(pairs)] for pairs in rows.values()]
    return {key: (each[0], signed(*each), p) for key, each, p in zip(rows, figures, corrected)}


def _difficult(folder, most=3):
    accuracy = behaviour.by_class(behaviour.read(RECORDED / folder / "classes.csv"))
    hardest = behaviour.hardest_first(accuracy, ["orc", "kd", "alone"])[:most]
    return behaviour.differences(accuracy, "orc", "alone", hardest)


def _share():
    rows = [row for row in behaviour.read(RECORDED / "roles.csv") if row["name"] == "orc"]
    *_, student = students = list(dict.fromkeys(row["student"] for row in rows))
    by_seed = {}
    for row in rows:
        if row["student"] == student:
            by_seed.setdefault(row["seed"], []).append(float(row["share"]))
    return [np.mean(shares) - 1 / len(students) for shares in by_seed.values()]


if __name__ == "__main__":
    common.start()
