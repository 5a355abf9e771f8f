"""Settings as a command line states them."""

from absl import flags

from helpers.programs import ROOT
from orc_keras.flag_parsing import set_flags
from orc_keras.settings import define_flags, from_flags

CONFIGS = sorted((ROOT / "configs").glob("*.flags"))
NEEDED = ["--dataset=digits", "--pivot=resnet8", "--students=resnet8,resnet8"]


def parse(*arguments):
    """Returns the settings that a command line states."""
    flag_values = flags.FlagValues()
    define_flags(flag_values)
    set_flags(flag_values, arguments)
    return from_flags(flag_values)
