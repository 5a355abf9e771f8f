"""The paper's claims beside our figures, the table of docs/results.md: python benchmarks/claims.py

Each difference is taken so that the paper's claim makes it positive. "Reproduced" and
"contradicted" are significant differences, Holm-corrected for all of the table.
"""

from typing import NamedTuple

import behaviour
import common
import numpy as np
from overview import RECORDED

from orc_keras.compare import results, statistics
from orc_keras.formatting import markdown_table, signed


class Claim(NamedTuple):
    """A row: of which table or figure, what is claimed, and the difference that shows it."""

    where: str
    claim: str
    better: str = "orc"
    worse: str = ""
    file: str = "fashion_half"


METHODS = ("alone", "kd", "takd", "dgkd", "dml", "kdcl")
CLAIMS = [
    *(Claim("2, 3", f"ORC's student beats {name}'s", worse=name) for name in METHODS),
    Claim("2, 3", "ORC's student beats kd's, 10,000 images", worse="kd", file="fashion_10000"),
    Claim("5", "intensive teaching helps", worse="without intensive teaching"),
    Claim("5", "private teaching helps", worse="without private teaching"),
    Claim("5", "group teaching helps", worse="without group teaching"),
    Claim("6", "individual teachers beat their ensemble", worse="ensemble of teachers"),
    Claim("7", "roles that change beat a deep fixed teacher", worse="resnet14 always teaches"),
    Claim(
        "S7",
        "roles that change at every step beat every 10 epochs",
        worse="roles change every 10 epochs",
    ),
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
    ("F3", "ORC beats alone on the three most difficult classes"): lambda: _difficult("."),
    ("F3", "the same with ResNet56 as the pivot"): lambda: _difficult("wide_gap"),
    ("F4", "the smallest student teaches often: minus half of the steps"): lambda: _share(),
}


def define_flags(values):
    """There are none."""


def main(values, arguments):
    rows = {(each.where, each.claim): _pairs(each) for each in CLAIMS}
    rows |= {key: pairs() for key, pairs in FIGURES.items()}
    corrected = statistics.holm([statistics.p_value(pairs) for pairs in rows.values()])
    lines = []
    for ((where, claim), pairs), p in zip(rows.items(), corrected):
        figures = [100 * figure for figure in statistics.mean_and_interval(pairs)]
        verdict = "reproduced" if figures[0] > 0 else "contradicted"
        significant = p < 1 - statistics.LEVEL
        lines.append(
            [where, claim, signed(*figures), verdict if significant else "not significant"]
        )
    print(markdown_table(["table", "the paper's claim", "ours", "verdict"], lines, "llrl"))


def _pairs(claim):
    recorded = results.Results(results.read(RECORDED / f"{claim.file}.csv"))
    return recorded.differences(claim.better, claim.worse)


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
