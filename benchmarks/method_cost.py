"""What a step of each method costs, on the groups of a flagfile.

python benchmarks/method_cost.py --flagfile=benchmarks/mnist.flags

A step is one in which every student learns once; a method with stages takes the sum of its stages'.
"With the pivot" adds, for methods whose pivot learns beforehand, its own steps, as many to a step
of the group as --pivot_epochs and --epochs say. The steps are made in turns in one process, on one
mini-batch of random images in memory. Printed are the medians over the turns of a method's time
relative to that of `alone` in the same turn, in which every member learns, the pivot too.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import dataclasses

import numpy as np
from absl import app, flags
from step_cost import member_step, random_batch, seconds, step_of

from orc_keras import command_line, experiment, startup
from orc_keras.groups.methods import METHODS

import models  # isort: skip  (orc_keras keeps TensorFlow's import quiet)
import tensorflow as tf  # isort: skip


def main(_):
    startup.log_warnings_only()
    tf.get_logger().setLevel("ERROR")  # that several models are traced is no mistake here
    ours = command_line.from_flags()
    shape = tuple(map(int, flags.FLAGS.image_shape))
    batch = random_batch(ours.batch_size, shape, flags.FLAGS.classes)
    steps = {name: stages(ours, name, shape, batch) for name in METHODS}
    steps["pivot"] = [pivot_step(ours, shape, batch)]
    times = {name: [] for name in steps}
    for _ in range(flags.FLAGS.turns):
        for name, programs in steps.items():
            times[name].append(sum(map(seconds, programs)))
    show({name: np.array(each) for name, each in times.items()}, ours.pivot_epochs / ours.epochs)


def show(times, pivot_steps):
    print(f"{'':8}{'ms':>8}{'times alone':>14}{'with the pivot':>17}")
    for name, (group, _) in METHODS.items():
        ratio = np.median(times[name] / times["alone"])
        before = times["pivot"] * pivot_steps * group.pivot_learns_before
        in_all = np.median((times[name] + before) / times["alone"])
        print(f"{name:8}{1e3 * np.median(times[name]):>8.1f}{ratio:>14.2f}{in_all:>17.2f}")


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


def pivot_step(ours, shape, batch):
    """The step in which the pivot learns alone."""
    network = models.build(ours.pivot, shape, flags.FLAGS.classes, ours.head)
    program = member_step(ours, network, batch)
    program()
    return program


if __name__ == "__main__":
    command_line.define_flags()
    flags.DEFINE_list("image_shape", ["14", "14", "1"], "Height, width and channels of an image.")
    flags.DEFINE_integer("classes", 10, "Number of classes.")
    flags.DEFINE_integer("turns", 15, "How often each is measured.")
    app.run(main)
