"""What a step of each method costs, on the groups of a flagfile.

python benchmarks/method_cost.py --flagfile=benchmarks/mnist.flags

A step is one in which every student learns once; a method with stages takes the sum of its stages'.
The steps are made in turns in one process, on one mini-batch of random images in memory. Printed is
the median over the turns of a method's time relative to that of `alone` in the same turn.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import dataclasses

import numpy as np
from absl import app, flags
from step_cost import random_batch, seconds, step_of

from orc_keras import experiment, settings, startup
from orc_keras.methods import METHODS

import tensorflow as tf  # isort: skip  (orc_keras keeps its import quiet)


def main(_):
    startup.log_warnings_only()
    tf.get_logger().setLevel("ERROR")  # that several models are traced is no mistake here
    ours = settings.from_flags()
    shape = tuple(map(int, flags.FLAGS.image_shape))
    batch = random_batch(ours.batch_size, shape, flags.FLAGS.classes)
    steps = {name: stages(ours, name, shape, batch) for name in METHODS}
    times = {name: [] for name in METHODS}
    for _ in range(flags.FLAGS.turns):
        for name, programs in steps.items():
            times[name].append(sum(map(seconds, programs)))
    alone = np.array(times["alone"])
    for name, each in times.items():
        ratio, milliseconds = np.median(each / alone), 1e3 * np.median(each)
        print(f"{name:<8}{ratio:>6.2f} times alone{milliseconds:>8.1f} ms")


def stages(ours, method, shape, batch):
    """Returns one program for each stage of a method, which makes a step."""
    experiment.set_up_keras(ours)
    programs = []
    group = experiment.build_group(
        dataclasses.replace(ours, method=method), shape, flags.FLAGS.classes
    )
    group.compile(**experiment.compilation(ours))
    for stage in group.stages:
        group.enter(stage)
        programs.append(step_of(group, batch))
        programs[-1]()  # is traced now, in its stage
    return programs


if __name__ == "__main__":
    settings.define_flags()
    flags.DEFINE_list("image_shape", ["14", "14", "1"], "Height, width and channels of an image.")
    flags.DEFINE_integer("classes", 10, "Number of classes.")
    flags.DEFINE_integer("turns", 15, "How often each is measured.")
    app.run(main)
