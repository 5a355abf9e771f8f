"""Settings as a command line states them."""

import dataclasses

from absl import flags

from helpers.programs import ROOT
from orc_keras.settings import Settings, define_flags, from_flags

CONFIGS = sorted((ROOT / "configs").glob("*.flags"))
NEEDED = ["--dataset=digits", "--pivot=resnet8", "--students=resnet8,resnet8"]

if "dataset" not in flags.FLAGS:
    define_flags()


def parse(*arguments):
    """Returns the settings that a command line states."""
    flags.FLAGS.unparse_flags()
    for flag in dataclasses.fields(Settings):
        flags.FLAGS[flag.name].value = flags.FLAGS[flag.name].default
    flags.FLAGS(["train.py", *arguments])
    return from_flags()
