"""Measures what each member costs on this machine: python -m orc_keras.benchmark --run=<output_dir>

Every member of the run, in every format: size, accuracy, time for one image, images per second.
It prints a table, writes benchmark.json, and adds a section to the run's report.
"""

import sys

from absl import flags

from orc_keras import command_line, startup
from orc_keras.runs.names import BENCHMARK, SUFFIXES

NAME = command_line.name_of("orc_keras.benchmark")


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{NAME}: {argv[1]!r} is not a flag.")
    startup.quietly()
    from orc_keras.benchmark import formatting, members
    from orc_keras.report import page

    run, values = flags.FLAGS.run, flags.FLAGS
    try:
        measured = members.benchmark(run, values.formats, values.turns, values.data_dir)
        written = page.write([run])
        print(f"{formatting.text(measured)}\n\nWrote {run}/{BENCHMARK}; {written} has a plot.")
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(f"{NAME}: {error}")


def program():
    """Runs the program, as the command `orc-benchmark` does."""
    timed = [name for name in SUFFIXES if name != "web"]
    flags.DEFINE_string("run", None, "Directory of a finished run.", required=True)
    flags.DEFINE_list("formats", timed, f"Any of {', '.join(timed)}.")
    flags.DEFINE_integer("turns", 100, "How often each is timed with one image.", 1)
    flags.DEFINE_string("data_dir", "", "Folder of TensorFlow Datasets; empty: its usual place.")
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
