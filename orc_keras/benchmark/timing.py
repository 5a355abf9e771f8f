"""Times the files of networks on one thread: python -m orc_keras.benchmark.timing

It reads the arguments of `measure_times` from standard input and writes what that returns to
standard output, both as JSON. A process of its own, because TensorFlow's threads cannot be changed
in one that has begun.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras import startup

BATCH_SIZES = (1, 8, 32, 128)
WARM_UP_CALLS = 5  # not counted: runtimes choose their kernels in the first ones
BATCH_TURNS = 5  # of larger mini-batches


def main() -> None:
    startup.import_tensorflow_quietly()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    json.dump(measure_times(**json.load(sys.stdin)), sys.stdout)


def measure_times(
    files: Sequence[tuple[str, str]], data: dict[str, Any], turns: int
) -> list[dict[str, float]]:
    """Returns the times of each file, in turns, so that what else the machine does hits all alike.

    Args:
        files: (format, path) of each.
        data: `ImageData.description()`.
        turns: the number of times that each is called with one image.

    Returns:
        For each file a dict: `median` and `p95`, milliseconds for one image; `images_per_second`
        at the best `batch_size`.
    """
    from orc_keras.export.formats import FORMATS

    shape = (max(BATCH_SIZES), *data["image_shape"])
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    loads = [(FORMATS[name].load, Path(path)) for name, path in files]
    predictors = [load(path, data, 1) for load, path in loads if load]
    milliseconds = 1000 * _seconds(predictors, images[:1], turns)
    rates = [1000 / np.median(milliseconds, axis=0)]
    for size in BATCH_SIZES[1:]:
        rates.append(size / np.median(_seconds(predictors, images[:size], BATCH_TURNS), axis=0))
    best = np.argmax(rates, axis=0)
    return [
        {
            "median": float(np.median(calls)),
            "p95": float(np.percentile(calls, 95)),
            "images_per_second": float(rates[i][file]),
            "batch_size": BATCH_SIZES[i],
        }
        for file, (calls, i) in enumerate(zip(milliseconds.T, best))
    ]


def _seconds(predictors: list[Callable], images: np.ndarray, turns: int) -> np.ndarray:
    """Returns the seconds of calls, `[turns, predictors]`."""

    def call(predict):
        start = time.perf_counter()
        np.asarray(predict(images)["logits"])
        return time.perf_counter() - start

    for predict in predictors:
        for _ in range(WARM_UP_CALLS):
            call(predict)
    return np.array([[call(predict) for predict in predictors] for _ in range(turns)])


if __name__ == "__main__":
    main()
