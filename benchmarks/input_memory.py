"""Memory that images take: python benchmarks/input_memory.py

As many images as CIFAR-100 has, with random pixels, prepared like it and then loaded as by
`--dataset=cifar100`, with the pipelines at work: what the process has at its peak, less what a
tenth of the images takes, beside the bytes of the images.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from orc_keras import data, startup

IMAGES = {"train": 50_000, "test": 10_000}
IMAGE_BYTES = 32 * 32 * 3


def prepare(directory, share):
    """Writes `share` of the images as TensorFlow Datasets would after a download."""
    import tensorflow_datasets as tfds

    def examples(number):
        rng = np.random.default_rng(number)
        for i in range(number):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            yield i, {"id": str(i), "image": pixels, "label": i % 100, "coarse_label": 0}

    tfds.disable_progress_bar()
    cifar100 = tfds.builder_cls("cifar100")
    cifar100.url_infos = {}
    cifar100._split_generators = lambda *_: {
        split: examples(int(number * share)) for split, number in IMAGES.items()
    }
    cifar100(data_dir=directory).download_and_prepare()


def load(directory):
    """Loads the images, draws from both pipelines, and prints the peak in bytes."""
    images = data.load("cifar100", directory)
    for batches in (data.train_batches(images, 64, seed=0), data.held_out_batches(images, 64)):
        for _ in batches.take(50):
            pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def peak(share):
    """Prepares and loads in processes of their own; returns the peak of the latter in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        program = [sys.executable, __file__]
        subprocess.run(
            [*program, "prepare", directory, str(share)], check=True, capture_output=True
        )
        loaded = subprocess.run([*program, "load", directory], check=True, capture_output=True)
        return int(loaded.stdout.split()[-1])


def main():
    startup.log_warnings_only()
    match sys.argv[1:]:
        case ["prepare", directory, share]:
            prepare(directory, float(share))
        case ["load", directory]:
            load(directory)
        case _:
            images = 0.9 * sum(IMAGES.values()) * IMAGE_BYTES
            memory = peak(1) - peak(0.1)
            print(
                f"{images / 1e6:,.0f} MB of images took {memory / 1e6:,.0f} MB of memory at the "
                f"peak: {memory / images:.2f} times their bytes."
            )


if __name__ == "__main__":
    main()
