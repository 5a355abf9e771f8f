"""Runs a program of benchmarks/ in this process; importing it makes them importable."""

import sys

from absl import flags

from helpers.programs import ROOT
from orc_keras import command_line

sys.path.insert(0, str(ROOT / "benchmarks"))

# A group of tiny networks; it takes the fixture `tiny`.
TINY = (
    *("--dataset=tiny", "--pivot=hidden16", "--students=hidden12,hidden8", "--batch_size=8"),
    *("--image_shape=4,4,1", "--classes=5"),
)


def run(program, *arguments):
    """Runs the module of a program with flags and arguments, as its command line would."""
    values = flags.FlagValues()
    program.define_flags(values)
    program.main(values, command_line.parse(program, values, list(arguments), program.__name__))


def number_behind(text, words):
    """Returns the number that stands behind some words in what was printed."""
    return float(text.partition(words)[2].split()[0].replace(",", "").rstrip(".:%"))
