"""Times the files of networks in a process of its own: python -m orc_keras.benchmark.timing

It reads what to time from standard input and writes the times to standard output, both as JSON. A
process of its own, because TensorFlow's threads cannot be changed in one that has begun.
"""

import json
import sys
import time
from pathlib import Path

from orc_keras import startup

BATCH_SIZES = (1, 8, 32, 128)
WARM = 5  # calls that are not counted: runtimes choose their kernels in the first ones
BATCH_TURNS = 5  # of larger mini-batches


def main():
    asked = json.load(sys.stdin)
    startup.quietly()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(asked["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(asked["threads"])
    json.dump(measured(**asked), sys.stdout)


def measured(files, data, threads, turns):
    """Returns the times of each file, in turns, so that what else the machine does hits all alike.

    Args:
        files: (format, path) of each.
        data: `ImageData.description()`.
        threads: of the CPU to use.
        turns: how often each is called with one image.

    Returns:
        For each file a dict: `median` and `p95`, milliseconds for one image; `images_per_second`
        at the best `batch_size`.
    """
    import numpy as np

    from orc_keras.export.formats import FORMATS

    images = np.random.default_rng(0).integers(
        0, 256, (max(BATCH_SIZES), *data["image_shape"]), np.uint8
    )
    run = [FORMATS[name].load(Path(path), data, threads) for name, path in files]

    def seconds(answers, batch_size):
        started = time.perf_counter()
        np.asarray(answers(images[:batch_size])["logits"])
        return time.perf_counter() - started

    def in_turns(batch_size, turns):
        """Returns the seconds of the calls, `[turns, files]`."""
        for answers in run:
            for _ in range(WARM):
                seconds(answers, batch_size)
        return np.array([[seconds(answers, batch_size) for answers in run] for _ in range(turns)])

    one = 1000 * in_turns(1, turns)
    rates = {1: 1000 / np.median(one, axis=0)}
    for size in BATCH_SIZES[1:]:
        rates[size] = size / np.median(in_turns(size, BATCH_TURNS), axis=0)
    best = [max(rates, key=lambda size: rates[size][i]) for i in range(len(run))]
    return [
        {
            "median": float(np.median(one[:, i])),
            "p95": float(np.percentile(one[:, i], 95)),
            "images_per_second": float(rates[size][i]),
            "batch_size": size,
        }
        for i, size in enumerate(best)
    ]


if __name__ == "__main__":
    main()
