"""What a step of each method costs, on the groups of a flagfile.

python benchmarks/method_cost.py --flagfile=benchmarks/mnist.flags

A step is one in which every student learns once; a method with stages takes the sum of its stages'.
"With the pivot" adds, for methods whose pivot learns beforehand, its own steps, as many to a step
of the group as --pivot_epochs and --epochs say. The steps are made in turns in one process, on one
mini-batch of random images in memory. Printed are the medians over the turns of a method's time
relative to that of `alone` in the same turn, in which every member learns, the pivot too.
"""

import common  # first: it keeps TensorFlow's import quiet
import numpy as np

from orc_keras import models
from orc_keras.groups import METHODS


def define_flags(values):
    common.define_group_flags(values, image_shape="14,14,1", classes=10)
    common.define_choice(values, "methods", METHODS, "The methods to measure, and alone.")


def main(values, _=()):
    images = common.RandomImages(values)
    names = [name for name in METHODS if name in (*values.methods, "alone")]
    programs = {name: stages_step(images, name) for name in names}
    ours = images.settings
    pivot = models.build(ours.pivot, images.image_shape, images.classes, ours.vgg_head)
    programs["pivot"] = images.member_step(pivot)
    programs["pivot"]()
    times = common.time_in_turns(programs, values.turns)
    show(times, ours.steps_per_execution, ours.pivot_epochs / ours.epochs)


def stages_step(images, method):
    """Returns a program that makes a step in each stage of a method, without the pivot's own."""
    group, steps = images.group(method=method), []
    for stage in group.group_stages():
        group.set_stage(stage)
        steps.append(images.step_of(group))
        steps[-1]()  # is traced now, in its stage
    return lambda: [step() for step in steps]


def show(times, mini_batches, pivot_steps):
    print(f"{'':8}{'ms':>8}{'times alone':>14}{'with the pivot':>17}")
    for name, group in METHODS.items():
        if name not in times:
            continue
        ratio = np.median(times[name] / times["alone"])
        before = times["pivot"] * pivot_steps * group.trains_pivot_first
        with_pivot = np.median((times[name] + before) / times["alone"])
        milliseconds = 1e3 * np.median(times[name]) / mini_batches
        print(f"{name:8}{milliseconds:>8.1f}{ratio:>14.2f}{with_pivot:>17.2f}")


if __name__ == "__main__":
    common.start()
