"""Memory that images take: python benchmarks/input_memory.py

As many images as CIFAR-100 has, with random pixels, prepared like it and then loaded as by
`--dataset=cifar100`, with the pipelines at work: what the process has at its peak, less what a
tenth of the images takes, beside the bytes of the images.
"""

import resource
import subprocess
import sys
import tempfile

import common  # first: it keeps TensorFlow's import quiet
import numpy as np
from absl import flags

from orc_keras import data

IMAGE_BYTES = 32 * 32 * 3


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_integer("images", 60_000, "How many; a sixth is held out.", 200, **to)
    flags.DEFINE_integer("batches", 50, "Mini-batches drawn from each pipeline.", 1, **to)
    what = "Internal: `prepare` or `load` the images in --directory, in a process of its own."
    flags.DEFINE_enum("only", "", ["", "prepare", "load"], what, **to)
    flags.DEFINE_string("directory", "", "Internal: where the images are.", **to)


def main(values, _=()):
    if values.only == "prepare":
        prepare(values.directory, values.images)
    elif values.only == "load":
        print(load(values.directory, values.batches))
    else:
        fewer = max(values.images // 10, 200)
        memory = peak(values.images, values.batches) - peak(fewer, values.batches)
        images = (values.images - fewer) * IMAGE_BYTES
        print(
            f"{images / 1e6:,.0f} MB of images took {memory / 1e6:,.0f} MB of memory at the "
            f"peak: {memory / images:.2f} times their bytes."
        )


def peak(number, batches):
    """Prepares and loads in processes of their own; returns the peak of the latter in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        program = [sys.executable, __file__, f"--directory={directory}"]
        _run([*program, "--only=prepare", f"--images={number}"])
        return int(_run([*program, "--only=load", f"--batches={batches}"]).split()[-1])


def _run(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def prepare(directory, number):
    """Writes random images as TensorFlow Datasets would write CIFAR-100 after a download."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()

    class Cifar100(tfds.builder_cls("cifar100"), skip_registration=True):  # under the same name
        url_infos = {}

        def _split_generators(self, *_):  # which is how tfds wants it
            held_out = number // 6
            return {"train": _examples(number - held_out), "test": _examples(held_out)}

    Cifar100(data_dir=directory).download_and_prepare()


def _examples(number):
    rng = np.random.default_rng(number)
    for i in range(number):
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        yield i, {"id": str(i), "image": pixels, "label": i % 100, "coarse_label": 0}


def load(directory, batches):
    """Loads the images and draws from both pipelines; returns the process's peak in bytes."""
    images = data.load("cifar100", directory)
    for pipeline in (data.train_batches(images, 64, seed=0), data.held_out_batches(images, 64)):
        for _ in pipeline.take(batches):
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    common.start(main, define_flags)
