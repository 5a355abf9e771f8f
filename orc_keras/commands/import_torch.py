"""Makes a .keras file of a published PyTorch network.

    orc-keras import-torch ckpt_epoch_240.pth --network=wrn_40_2 --classes=100 \
--output=wrn_40_2.keras

Positional arguments: one checkpoint (.pth) of RepDistiller, mdistiller or torchvision.
"""

import os
from pathlib import Path
from typing import Any

from absl import flags

from orc_keras import startup

ARGUMENTS = "one checkpoint, a file such as ckpt_epoch_240.pth"


def define_flags(flag_values: flags.FlagValues) -> None:
    to: dict[str, Any] = {"flag_values": flag_values}
    flags.DEFINE_string("network", None, "Its name in models/, such as wrn_40_2.", **to)
    flags.DEFINE_integer("classes", None, "Number of classes.", 2, **to)
    flags.DEFINE_string("output", None, "The .keras file to write.", **to)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    checkpoint, *more = arguments
    output = flag_values.output
    if more:
        raise ValueError(f"give {ARGUMENTS}, not {len(arguments)}.")
    if not output.endswith(".keras"):
        raise ValueError(f"--output={output} must end in .keras.")
    if os.path.lexists(output):  # also a link that leads nowhere
        raise ValueError(f"--output={output} exists; delete it, or give another name.")
    if not Path(output).absolute().parent.is_dir():
        raise ValueError(f"--output={output} is in a folder that does not exist.")
    startup.import_tensorflow_quietly()
    from orc_keras.files import atomic_write
    from orc_keras.import_torch import convert

    with atomic_write(Path(output)) as path:
        convert(checkpoint, flag_values.network, flag_values.classes).save(path)
    print(f"Wrote {output}; as a pivot: --pivot={output}.")
