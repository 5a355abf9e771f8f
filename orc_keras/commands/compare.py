"""Compares methods on the members, images and recipe of a flagfile, with several seeds.

    orc-keras compare --flagfile=digits --seeds=0,1,2 --output_dir=runs/compare

Trains every method with every seed, continues interrupted runs, and writes tables (Markdown and
CSV) and plots to --output_dir. The tables say which differences are significant. All runs of a seed
start from the same weights and see the same images in the same order. They share a trained pivot,
unless a variant changes its training. No positional arguments.
"""

import signal
from pathlib import Path
from typing import Any

from absl import flags

from orc_keras import startup
from orc_keras.command_line import CommandError
from orc_keras.compare import EFFECT

INSTEAD = {  # of flags of train
    "method": "give --methods",
    "seed": "give --seeds",
    "overwrite": "choose another --output_dir",
}


def define_flags(flag_values: flags.FlagValues) -> None:
    startup.import_tensorflow_quietly()
    from orc_keras import settings  # imports TensorFlow
    from orc_keras.groups import METHODS

    to: dict[str, Any] = {"flag_values": flag_values}
    settings.define_flags(flag_values)
    help = (
        "Methods to compare, of --method's choices; kd and alone, with which all others are "
        "compared, are always there."
    )
    flags.DEFINE_list("methods", list(METHODS), help, **to)
    help = (
        "Something else to compare, '<name>: --flag=value ...', such as 'beta 0.9: "
        "--distillation_weight=0.9'; quoted as in a shell; may be given several times."
    )
    flags.DEFINE_multi_string("variant", [], help, **to)
    help = "Seeds, each of which all methods have."
    flags.DEFINE_list("seeds", ["0", "1", "2", "3", "4"], help, **to)
    help = (
        "Difference, in percentage points, for which the table says how many seeds it takes to "
        "make it significant."
    )
    flags.DEFINE_float("detect", EFFECT, help, 1e-3, 100, **to)
    help = "Runs at once; 0: one on GPUs, one for each core on CPUs."
    flags.DEFINE_integer("jobs", 0, help, 0, **to)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    for flag, instead in INSTEAD.items():
        if flag_values[flag].present:
            raise ValueError(f"--{flag} is not for a comparison; {instead}.")
    from orc_keras.compare.comparison import compare
    from orc_keras.settings import from_flags

    try:
        seeds = [int(text) for text in flag_values.seeds]
    except ValueError as error:
        raise ValueError(f"--seeds must be whole numbers: {error}.") from error
    directory = Path(flag_values.output_dir or "runs/compare").expanduser()
    base, methods, variants = from_flags(flag_values), flag_values.methods, flag_values.variant
    try:
        compare(base, methods, variants, seeds, directory, flag_values.jobs, flag_values.detect)
    except KeyboardInterrupt as stop:
        number = stop.args[0] if stop.args else signal.SIGINT
        raise CommandError("stopped; the same command continues.", 128 + number) from None
