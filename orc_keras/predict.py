"""Classifies images: python -m orc_keras.predict --saved_model=runs/digits/student image.png ...

Prints the five most probable classes of each image.
"""

import sys
from pathlib import Path

import numpy as np
from absl import flags

from orc_keras import startup

startup.quietly()

from orc_keras import command_line
from orc_keras.data import files
from orc_keras.export.saved_model import SavedModel

MOST = 5


def predict(network, path):
    """Returns the names and probabilities of an image's most probable classes.

    Args:
        network: `SavedModel`.
        path: of the image's file.

    Raises:
        ValueError: if there is no such file, or the network cannot take its image.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file.")
    try:
        (probabilities,) = network.answer([Path(path).read_bytes()])["probabilities"].numpy()
    except ValueError as error:
        reason = files.complaint(path, network.image_shape)
        raise ValueError(f"{path} {reason}; {network.takes}.") from error
    best = np.argsort(-probabilities, kind="stable")[:MOST]
    return [(network.class_names[i], float(probabilities[i])) for i in best]


def main(argv):
    if len(argv) < 2:
        sys.exit("orc_keras.predict: name the files of images.")
    failed = False
    try:
        network = SavedModel(flags.FLAGS.saved_model)
    except ValueError as error:
        sys.exit(f"orc_keras.predict: {error}")
    for path in argv[1:]:
        try:
            lines = [f"{probability:7.1%}  {name}" for name, probability in predict(network, path)]
        except (ValueError, OSError) as error:
            print(f"orc_keras.predict: {error}", file=sys.stderr)
            failed = True
        else:
            print("\n".join([path, *lines]))
    sys.exit(int(failed))


if __name__ == "__main__":
    flags.DEFINE_string("saved_model", None, "Directory of a SavedModel.", required=True)
    command_line.start(main, "orc_keras.predict")
