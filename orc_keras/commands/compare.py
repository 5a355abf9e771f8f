"""Compares methods on the members, images and recipe of a flagfile, with several seeds.

    orc-keras compare --flagfile=digits --seeds=0,1,2 --output_dir=runs/compare

Trains every method with every seed, continues interrupted runs, and writes tables (Markdown and
CSV) and plots to --output_dir. The tables say which differences are significant. All runs of a seed
start from the same weights and see the same images in the same order. They share a trained pivot,
unless a variant changes its training. No positional arguments.
"""

from pathlib import Path
from typing import Any

from absl import flags

from orc_keras import startup
from orc_keras.command_line import CommandError
from orc_keras.compare import EFFECT

INSTEAD = {"method": "methods", "seed": "seeds"}  # flags of train, and those of a comparison


def define_flags(flag_values: flags.FlagValues) -> None:
    startup.quietly()
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
        "--distillation_weight=0.9'; may be given several times."
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
    base, seeds = _settings(flag_values), _seeds(flag_values.seeds)
    from orc_keras.compare.comparison import compare

    directory = Path(flag_values.output_dir or "runs/compare").expanduser()
    methods, variants = flag_values.methods, flag_values.variant
    try:
        compare(base, methods, variants, seeds, directory, flag_values.jobs, flag_values.detect)
    except KeyboardInterrupt as stop:
        number = stop.args[0] if stop.args else 2
        raise CommandError("stopped; the same command continues.", 128 + number) from None


def _settings(flag_values):
    """Returns the settings that all runs share."""
    for flag, instead in INSTEAD.items():
        if flag_values[flag].present:
            raise ValueError(f"--{flag} is not for a comparison; give --{instead}.")
    from orc_keras.settings import from_flags

    base = from_flags(flag_values)
    if base.overwrite:
        raise ValueError("--overwrite is not for a comparison; choose another --output_dir.")
    return base


def _seeds(texts: list[str]) -> list[int]:
    try:
        return [int(text) for text in texts]
    except ValueError:
        raise ValueError(f"--seeds must be whole numbers, not {','.join(texts)!r}.") from None
