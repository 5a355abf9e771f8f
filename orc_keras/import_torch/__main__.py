"""Makes a .keras file of a published PyTorch teacher.

python -m orc_keras.import_torch ckpt_epoch_240.pth --network=wrn_40_2 --classes=100 \
    --output=wrn_40_2.keras
"""

import sys
from pathlib import Path

from absl import flags

from orc_keras import command_line, startup

NAME = command_line.name_of("orc_keras.import_torch")


def main(argv):
    if len(argv) != 2:
        sys.exit(f"{NAME}: give one checkpoint, a file such as ckpt_epoch_240.pth.")
    network, classes, output = (flags.FLAGS[n].value for n in ("network", "classes", "output"))
    try:
        if not output.endswith(".keras"):
            raise ValueError(f"--output={output} must end in .keras.")
        if not Path(output).absolute().parent.is_dir():
            raise ValueError(f"--output={output} is in a folder that is not there.")
        startup.quietly()
        convert(argv[1], network, classes, output)
    except (ValueError, OSError) as error:
        sys.exit(f"{NAME}: {error}")
    print(f"Wrote {output}; as a pivot: --pivot={output}.")


def convert(checkpoint, network, classes, output):
    """Writes the network in a PyTorch checkpoint as a `.keras` file.

    Args:
        checkpoint: a `.pth` file of RepDistiller, mdistiller or torchvision.
        network: its name in `models.names()`. Published VGGs have one fully connected layer.
        classes: their number.
        output: the file to write.

    Raises:
        ValueError: if the checkpoint cannot be read, or is of another network.
        OSError: if the file cannot be written.
    """
    from orc_keras import models
    from orc_keras.files import replacing
    from orc_keras.import_torch import checkpoint as reading

    arrays = reading.read(checkpoint)
    shape, _ = models.usual_input(network)
    built = models.build(network, shape, classes, head="linear")
    reading.fill(built, arrays)
    with replacing(Path(output)) as path:
        built.save(path)


def program():
    """Runs the program, as the command `orc-import-torch` does."""
    flags.DEFINE_string("network", None, "Its name in models/, such as wrn_40_2.", required=True)
    flags.DEFINE_integer("classes", None, "Number of classes.", 2, required=True)
    flags.DEFINE_string("output", None, "The .keras file to write.", required=True)
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
