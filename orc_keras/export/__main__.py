"""Exports a member of a run: python -m orc_keras.export --run=<output_dir> --member=<name>"""

import sys

from absl import flags

from orc_keras import command_line, startup

NAME = command_line.name_of("orc_keras.export")


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{NAME}: {argv[1]!r} is not a flag.")
    startup.quietly()
    from orc_keras.export.formats import export_member

    try:
        directory = export_member(flags.FLAGS.run, flags.FLAGS.member)
        print(f"Wrote {directory}/ (see its README.md), {directory}.keras and {directory}.tflite.")
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(f"{NAME}: {error}")


def program():
    """Runs the program, as the command `orc-export` does."""
    flags.DEFINE_string("run", None, "Directory of a finished run.", required=True)
    flags.DEFINE_string("member", None, "Name of the member, as in its table.", required=True)
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
