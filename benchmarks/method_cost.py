"""What a step of each method costs, on the groups of a flagfile.

python benchmarks/method_cost.py --flagfile=benchmarks/mnist.flags

A step is one in which every student learns once; a method with stages takes the sum of its stages'.
"With the pivot" adds, for methods whose pivot learns beforehand, its own steps, as many to a step
of the group as --pivot_epochs and --epochs say. The steps are made in turns in one process, on one
mini-batch of random images in memory. Printed are the medians over the turns of a method's time
relative to that of `alone` in the same turn, in which every member learns, the pivot too.
"""

import dataclasses

import common  # first: it keeps TensorFlow's import quiet
import numpy as np

from orc_keras import models
from orc_keras.groups import METHODS
from orc_keras.settings import from_flags


def define_flags(values):
    common.define_group_flags(values, image_shape="14,14,1", classes=10)
    what = "The methods to measure; alone is measured in any case."
    common.define_choice(values, "methods", METHODS, what)


def main(values, _=()):
    ours, shape = from_flags(values), common.image_shape(values)
    batch = common.random_batch(ours, shape, values.classes)
    names = [name for name in METHODS if name in (*values.methods, "alone")]
    programs = {name: steps(ours, name, shape, values.classes, batch) for name in names}
    programs["pivot"] = pivot_step(ours, shape, values.classes, batch)
    times = common.by_turns(programs, values.turns)
    show(times, ours.steps_per_execution, ours.pivot_epochs / ours.epochs)


def show(times, mini_batches, pivot_steps):
    print(f"{'':8}{'ms':>8}{'times alone':>14}{'with the pivot':>17}")
    for name, group in METHODS.items():
        if name not in times:
            continue
        ratio = np.median(times[name] / times["alone"])
        before = times["pivot"] * pivot_steps * group.pivot_learns_before
        in_all = np.median((times[name] + before) / times["alone"])
        milliseconds = 1e3 * np.median(times[name]) / mini_batches
        print(f"{name:8}{milliseconds:>8.1f}{ratio:>14.2f}{in_all:>17.2f}")


def steps(ours, method, shape, classes, batch):
    """Returns a program that makes a step in each stage of a method, without the pivot's own."""
    group = common.compiled_group(dataclasses.replace(ours, method=method), shape, classes)
    of_stages = []
    for stage in group.stages_of_method():
        group.set_stage(stage)
        of_stages.append(common.step_of(group, common.endless(batch)))
        of_stages[-1]()  # is traced now, in its stage
    return lambda: [step() for step in of_stages]


def pivot_step(ours, shape, classes, batch):
    """The step in which the pivot learns alone."""
    network = models.build(ours.pivot, shape, classes, ours.vgg_head)
    program = common.member_step(ours, network, batch)
    program()
    return program


if __name__ == "__main__":
    common.start(main, define_flags)
