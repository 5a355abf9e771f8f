"""Exports a member of a run: python -m orc_keras.export --run=<output_dir> --member=<name>"""

import sys

from absl import flags

from orc_keras import startup

startup.quietly()

from orc_keras import command_line
from orc_keras.export.formats import export_member


def main(argv):
    if len(argv) > 1:
        sys.exit(f"orc_keras.export: {argv[1]!r} is not a flag.")
    try:
        directory = export_member(flags.FLAGS.run, flags.FLAGS.member)
        print(f"Wrote {directory}/ (see its README.md), {directory}.keras and {directory}.tflite.")
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(f"orc_keras.export: {error}")


if __name__ == "__main__":
    flags.DEFINE_string("run", None, "Directory of a finished run.", required=True)
    flags.DEFINE_string("member", None, "Name of the member, as in its table.", required=True)
    command_line.start(main, "orc_keras.export")
