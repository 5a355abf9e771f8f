"""Writes the report of a run: python -m orc_keras.report <run> [<other run> ...]"""

import sys

from orc_keras import command_line, startup

NAME = command_line.name_of("orc_keras.report")


def main(argv):
    if len(argv) < 2:
        sys.exit(f"{NAME}: name the directory of a run, and others to compare it with.")
    startup.quietly()
    from orc_keras.report.page import write

    try:
        print(f"Wrote {write(argv[1:])}.")
    except (ValueError, OSError) as error:
        sys.exit(f"{NAME}: {error}")


def program():
    """Runs the program, as the command `orc-report` does."""
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
