"""Classifies images by an exported network: prints the five most probable classes of each.

    orc-keras predict --saved_model=runs/birds/student photo.jpg another.png

Positional arguments: the files of images.
"""

import sys
from pathlib import Path

from absl import flags

from orc_keras import startup

ARGUMENTS = "the files of images"
SHOWN = 5  # classes


def define_flags(flag_values: flags.FlagValues) -> None:
    help = "Directory of a SavedModel, such as runs/digits/student."
    flags.DEFINE_string("saved_model", None, help, flag_values=flag_values)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    startup.import_tensorflow_quietly()
    from orc_keras.evaluate.saved_model import SavedModel

    network, failed = SavedModel(flag_values.saved_model), False
    for path in arguments:
        try:
            classes = predict(network, path)
        except (ValueError, OSError) as error:
            print(f"orc-keras predict: {error}", file=sys.stderr)
            failed = True
        else:
            print("\n".join([path, *(f"{p:7.1%}  {name}" for name, p in classes)]))
    sys.exit(int(failed))


def predict(network, path: str) -> list[tuple[str, float]]:
    """Returns the names and probabilities of the most probable classes of an image's file.

    Raises:
        ValueError: if there is no such file, or the `SavedModel` cannot take its image.
    """
    import numpy as np

    from orc_keras.data import files

    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file.")
    files.read_headers([Path(path)])  # refuses what TensorFlow would decode wrongly
    try:
        (probabilities,) = network.predict([Path(path).read_bytes()])["probabilities"].numpy()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    best = np.argsort(-probabilities, kind="stable")[:SHOWN]
    return [(network.class_names[i], float(probabilities[i])) for i in best]
