"""What the programs share: how they start, the flags of a group, and steps made in turns.

Nothing else in benchmarks/ that measures builds or compiles a group.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from orc_keras import startup
from orc_keras.settings import define_flags

startup.quietly()

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from orc_keras import building, command_line, recipe

flags.disclaim_key_flags()  # what is defined here belongs to the program


def start(main, define_flags):
    """Starts a program.

    Args:
        main: a function of the parsed flags and of the list of arguments that are no flags.
        define_flags: a function that defines its flags in the `FlagValues` that it is given.
    """
    define_flags(flags.FLAGS)
    flags.adopt_module_key_flags(command_line)  # so that --help has them

    def quietly(arguments):
        startup.log_warnings_only()
        tf.get_logger().setLevel("ERROR")  # that several models are traced is no mistake here
        try:
            main(flags.FLAGS, arguments[1:])
        except (ValueError, OSError) as error:
            sys.exit(f"{Path(arguments[0]).name}: {error}")

    app.run(quietly)


def define_choice(values, name, possible, help):
    """Defines a flag for some of what is possible, with commas; all of it, unless it is given."""
    possible = list(possible)
    flags.DEFINE_list(name, possible, help, flag_values=values)
    flags.register_validator(
        name,
        lambda chosen: chosen and set(chosen) <= set(possible),
        f"must be some of {','.join(possible)}",
        flag_values=values,
    )


def define_group_flags(values, image_shape="32,32,3", classes=100, turns=15):
    """Defines the flags of train.py, and those of mini-batches that are made up."""
    to = {"flag_values": values}
    define_flags(values)
    what = "Height, width and channels of an image."
    flags.DEFINE_list("image_shape", image_shape.split(","), what, **to)
    flags.DEFINE_integer("classes", classes, "Number of classes.", 2, **to)
    flags.DEFINE_integer("turns", turns, "How often each is measured.", 1, **to)


def image_shape(values):
    return tuple(map(int, values.image_shape))


def compiled_group(ours, shape, classes):
    """Returns the group of the settings, built and compiled as train.py does, from its seed."""
    building.set_up_keras(ours)
    return building.build_group(ours, shape, classes)


def random_batch(ours, shape, classes):
    """Returns a mini-batch of random images and labels."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(ours.batch_size, *shape)).astype(np.float32)
    labels = rng.integers(0, classes, ours.batch_size).astype(np.int32)
    return tf.constant(images), tf.constant(labels)


def endless(batch):
    return tf.data.Dataset.from_tensors(batch).repeat()


def step_of(model, batches):
    """Returns what `fit` calls for `steps_per_execution` mini-batches; it returns the logs."""
    model.make_train_function()
    step, batches = model.train_function, iter(batches)
    return lambda: keras.tree.map_structure(np.asarray, step(batches))


def member_step(ours, network, batch):
    """The ordinary training step of a network by itself, which is Keras's own."""
    alone = keras.Model(network.input, network.output)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = recipe.make_optimizer(**ours.arguments(recipe.make_optimizer))
    options = dict(steps_per_execution=ours.steps_per_execution, jit_compile=ours.jit_compile)
    alone.compile(optimizer, loss, metrics=["accuracy"], **options)
    return step_of(alone, endless(batch))


def seconds(program):
    """Returns how long a call of a function takes."""
    started = time.perf_counter()
    program()
    return time.perf_counter() - started


def by_turns(programs, turns):
    """Returns the seconds that each program took in each turn, an array for each name."""
    times = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            times[name].append(seconds(program))
    return {name: np.array(each) for name, each in times.items()}
