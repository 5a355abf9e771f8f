"""Classifies images: python -m orc_keras.predict --saved_model=runs/digits/student image.png ...

Prints the five most probable classes of each image.
"""

import sys
from pathlib import Path

from absl import flags

from orc_keras import command_line, startup

MOST = 5

NAME = command_line.name_of("orc_keras.predict")


def predict(network, path):
    """Returns the names and probabilities of an image's most probable classes.

    Args:
        network: `SavedModel`.
        path: of the image's file.

    Raises:
        ValueError: if there is no such file, or the network cannot take its image.
    """
    import numpy as np

    from orc_keras.data import files

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
        sys.exit(f"{NAME}: name the files of images.")
    startup.quietly()
    from orc_keras.evaluate.saved_model import SavedModel

    failed = False
    try:
        network = SavedModel(flags.FLAGS.saved_model)
    except ValueError as error:
        sys.exit(f"{NAME}: {error}")
    for path in argv[1:]:
        try:
            lines = [f"{probability:7.1%}  {name}" for name, probability in predict(network, path)]
        except (ValueError, OSError) as error:
            print(f"{NAME}: {error}", file=sys.stderr)
            failed = True
        else:
            print("\n".join([path, *lines]))
    sys.exit(int(failed))


def program():
    """Runs the program, as the command `orc-predict` does."""
    flags.DEFINE_string("saved_model", None, "Directory of a SavedModel.", required=True)
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
