"""What the programs share: how they start, a group of the flags, and steps timed in turns."""

import dataclasses
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # the latter for its helpers

from orc_keras import startup

startup.import_tensorflow_quietly()

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from orc_keras import building, command_line, recipe, settings


def start():
    """Runs the program of the main module, which is one as those of `orc_keras.commands` are."""
    tf.get_logger().disabled = True  # it warns of several models that are traced in one process
    command_line.run(sys.modules["__main__"], sys.argv[1:], Path(sys.argv[0]).name)


def define_choice(values, name, possible, help):
    """Defines a flag for a list of choices; by default it has all of them."""
    possible = list(possible)
    flags.DEFINE_list(name, possible, help, flag_values=values)
    flags.register_validator(
        name,
        lambda chosen: chosen and set(chosen) <= set(possible),
        f"must be some of {','.join(possible)}",
        flag_values=values,
    )


def define_group_flags(values, image_shape="32,32,3", classes=100, turns=15):
    """Defines the flags of train.py, and those of `RandomImages` and `time_in_turns`."""
    to = {"flag_values": values}
    settings.define_flags(values)
    shape = image_shape.split(",")
    flags.DEFINE_list("image_shape", shape, "Height, width and channels of an image.", **to)
    flags.DEFINE_integer("classes", classes, "Number of classes.", 2, **to)
    flags.DEFINE_integer("turns", turns, "How often each program is timed.", 1, **to)


class RandomImages:
    """The settings in the flags, with a mini-batch of random images in memory.

    Attributes:
        settings: `Settings`.
        batch: images and labels.
        batches: a dataset that repeats this mini-batch.
    """

    def __init__(self, values):
        self.settings = settings.from_flags(values)
        self.image_shape, self.classes = tuple(map(int, values.image_shape)), values.classes
        rng, number = np.random.default_rng(0), self.settings.batch_size
        images = rng.normal(size=(number, *self.image_shape)).astype(np.float32)
        labels = rng.integers(0, self.classes, number).astype(np.int32)
        self.batch = tf.constant(images), tf.constant(labels)
        self.batches = tf.data.Dataset.from_tensors(self.batch).repeat()

    def group(self, **changed):
        """Returns the group of the settings, changed, built and compiled as train.py does."""
        ours = dataclasses.replace(self.settings, **changed)
        building.set_up_keras(ours)
        return building.build_group(ours, self.image_shape, self.classes)

    def step_of(self, model):
        """Returns what `fit` calls for `steps_per_execution` mini-batches; it returns the logs."""
        model.make_train_function()
        step, batches = model.train_function, iter(self.batches)
        return lambda: keras.tree.map_structure(np.asarray, step(batches))

    def member_step(self, network):
        """Returns the same of a network by itself, whose training step is Keras's own."""
        alone = keras.Model(network.input, network.output)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        ours = self.settings
        optimizer = recipe.make_optimizer(**ours.arguments(recipe.make_optimizer))
        options = dict(steps_per_execution=ours.steps_per_execution, jit_compile=ours.jit_compile)
        alone.compile(optimizer, loss, metrics=["accuracy"], **options)
        return self.step_of(alone)


def seconds(program):
    """Returns how long a call of a function takes."""
    started = time.perf_counter()
    program()
    return time.perf_counter() - started


def time_in_turns(programs, turns):
    """Returns the seconds that each program takes in each turn, an array for each name."""
    times = [[seconds(program) for program in programs.values()] for _ in range(turns)]
    return dict(zip(programs, np.array(times).T))
