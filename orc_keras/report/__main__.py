"""Writes the report of a run: python -m orc_keras.report <run> [<other run> ...]"""

import sys

from orc_keras import startup

startup.quietly()

from orc_keras import command_line
from orc_keras.report.page import write


def main(argv):
    if len(argv) < 2:
        sys.exit("orc_keras.report: name the directory of a run, and others to compare it with.")
    try:
        print(f"Wrote {write(argv[1:])}.")
    except (ValueError, OSError) as error:
        sys.exit(f"orc_keras.report: {error}")


if __name__ == "__main__":
    command_line.start(main, "orc_keras.report")
