"""Writes the report of a run, one HTML page, also beside other runs.

    orc-keras report runs/digits runs/digits_alone

Positional arguments: the directory of the run, and of others to compare it with.
"""

from absl import flags

from orc_keras import startup

ARGUMENTS = "the directory of a run, and others to compare it with"


def define_flags(flag_values: flags.FlagValues) -> None:
    """It has none."""


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    startup.import_tensorflow_quietly()
    from orc_keras.report.page import write

    print(f"Wrote {write(arguments)}.")
