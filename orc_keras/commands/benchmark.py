"""Measures what each member of a run costs on this machine, in every format.

    orc-keras benchmark --run=runs/digits

Size, accuracy, time for one image, images per second: prints a table, writes benchmark.json, and
adds a section to the run's report. No positional arguments.
"""

from typing import Any

from absl import flags

from orc_keras.command_line import define_image_flags, import_modules
from orc_keras.run_files import BENCHMARK, SUFFIXES


def define_flags(flag_values: flags.FlagValues) -> None:
    formats = [name for name in SUFFIXES if name != "web"]
    to: dict[str, Any] = {"flag_values": flag_values}
    flags.DEFINE_string("run", None, "Directory of a finished run.", **to)
    flags.DEFINE_list("formats", formats, f"Any of {', '.join(formats)}.", **to)
    flags.DEFINE_integer("turns", 100, "How often each is timed with one image.", 1, **to)
    define_image_flags(flag_values, "The run's images, as --dataset of train, if they have moved.")


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    import_modules(flag_values)
    from orc_keras.benchmark import members, table
    from orc_keras.report import page

    run, place = flag_values.run, (flag_values.data_dir, flag_values.dataset)
    measured = members.benchmark(run, flag_values.formats, flag_values.turns, *place)
    written = page.write([run])
    print(f"{table.text(measured)}\n\nWrote {run}/{BENCHMARK}; {written} has a plot.")
