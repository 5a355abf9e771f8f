"""How far every network's answers in each format are from its own: python benchmarks/formats.py

Each network of models/ at the size it was made for, with random weights, and BatchNormalization
statistics moved by random images. It prints a table: the largest difference of a logit on other
such images, relative to the largest logit. (Which class is largest says little of random weights.)
It exits with an error if a float32 file differs by more than --tolerance.
"""

import sys
import tempfile
from pathlib import Path

import common
import numpy as np

from orc_keras import data, models
from orc_keras.data import PixelImages
from orc_keras.evaluate.members import to_keras_layers
from orc_keras.export import formats
from orc_keras.export.measure import measure
from orc_keras.formatting import aligned_table

from absl import flags  # isort: skip

EXACT = ("saved_model", "keras", "tflite", "onnx")
SHOWN = (*EXACT, "tflite-float16", "tflite-int8-weights", "tflite-int8")
MOVES = 10  # mini-batches by which the statistics are moved
BATCH_SIZE = 16


def define_flags(values):
    to = {"flag_values": values}
    common.define_choice(values, "networks", models.names(), "Networks to convert.")
    flags.DEFINE_integer("images", 64, "Images to compare on, and to calibrate by.", 1, **to)
    flags.DEFINE_float("tolerance", 1e-4, "Of a logit, relative to the largest.", 0, **to)


def main(values, arguments):
    rows, wrong = [], []
    for name in values.networks:
        shape, classes = models.usual_input(name)
        network, images, some = made_up(name, shape, classes, values.images)
        with tempfile.TemporaryDirectory() as folder:
            measured, largest = differences(network, images, some, Path(folder, name))
        relative = {each: measured[each]["largest_difference"] / largest for each in SHOWN}
        rows.append((name, *(f"{relative[each]:.1e}" for each in SHOWN)))
        wrong += [f"{name} {each}" for each in EXACT if relative[each] > values.tolerance]
        print(" | ".join(rows[-1]), flush=True)
    print(f"\n{aligned_table([('network', *SHOWN), *rows])}")
    if wrong:
        sys.exit(f"formats.py: these differ by more than {values.tolerance:g}: {', '.join(wrong)}.")


def made_up(name, shape, classes, number):
    """Returns a network, `ImageData` to compare it on, and images to calibrate by."""
    network = models.build(name, shape, classes)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2 * number, *shape), np.uint8)
    held_out = PixelImages(pixels[:number], np.arange(number) % classes)
    half = (0.5,) * shape[-1]
    class_names = tuple(map(str, range(classes)))
    images = data.ImageData(held_out, held_out, class_names, shape, half, half)
    for _ in range(MOVES):
        network(rng.normal(size=(BATCH_SIZE, *shape)).astype(np.float32), training=True)
    return to_keras_layers(network), images, list(pixels[number:])


def differences(network, images, some, target):
    """Returns what `measure` returns for every format, and the largest logit."""
    source = formats.Source(network, images.description(), target, some)
    paths = {each: formats.path_of(target, each) for each in SHOWN}
    for each, path in paths.items():  # the SavedModel first
        formats.FORMATS[each].write(source, path)
    answers = formats.network_predictor(network, images.description())
    pixels = np.asarray(images.held_out.pixels)
    return measure(paths, network, images, BATCH_SIZE), np.abs(answers(pixels)["logits"]).max()


if __name__ == "__main__":
    common.start()
