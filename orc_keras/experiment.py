"""The story of a run: check, build, train each stage, finish."""

import atexit
import contextlib
import dataclasses
import functools
import math
import tempfile

import keras
import tensorflow as tf

import models
from orc_keras import data, preconditions
from orc_keras.distribution import strategies
from orc_keras.distribution.workers import Workers
from orc_keras.finish import finish
from orc_keras.groups import methods
from orc_keras.groups.network_group import PIVOT
from orc_keras.groups.optimizers import L2SGD
from orc_keras.report import page
from orc_keras.runs import checksums, names, summary
from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.record import finished
from orc_keras.runs.run import Run
from orc_keras.training import stage


def prepare(settings):
    """Builds all that a run needs. Every wrong input ends here, before anything is trained.

    Args:
        settings: `Settings`.

    Returns:
        The run: a function without arguments, which trains, writes the run's directory, prints
        the table of its members and returns its summary.

    Raises:
        ValueError: if something that is asked for is impossible; the message is a sentence.
    """
    preconditions.check_networks(settings)
    preconditions.check_size(settings)
    strategy = strategies.choose(settings.strategy)  # before TensorFlow computes anything
    workers = Workers(strategy)
    directory = RunDirectory(settings if workers.is_chief else _out_of_the_way(settings))
    made = workers.from_chief(workers.together(lambda: _made_before(directory)))
    if made:
        return functools.partial(show, directory, made, workers)
    preconditions.check_pivot_weights(settings)
    workers.together(directory.check)
    set_up_keras(settings)
    run = Run(settings, directory, _load_images(settings, directory, workers), workers)
    preconditions.check_images(run, strategy.num_replicas_in_sync)
    with strategy.scope():
        group = build_group(settings, run.images.image_shape, run.images.num_classes)
        preconditions.check_memory(settings, group.members.values())
        group.compile(**compilation(settings))
    if settings.pivot_weights:
        workers.together(lambda: preconditions.load_pivot(group.pivot, settings.pivot_weights))
    workers.together(directory.claim)
    directory.write_json(names.DATA, run.images.description())
    return functools.partial(train, run, group)


def show(directory, made, workers):
    """Prints the table of a run that has been made before, and returns its summary.

    A report that is missing is written: it is the last thing that a run does.
    """
    workers.part()
    with workers.chief_speaking():
        if workers.is_chief and not (directory / names.PAGE).exists():
            page.write([directory.path])
        print(f"{directory.path}/ holds this run, finished:\n\n{summary.table(made)}")
    return made


def train(run, group):
    """Trains the group, stage after stage; exports the student; writes and prints what came out.

    Every worker trains, each in its own directory, because they compute it together.
    """
    workers = run.workers
    with contextlib.closing(run.directory), workers.chief_speaking():
        print(summary.data(run.images.description()))
        if unused := run.settings.unused():
            flags = ", ".join(f"--{name}" for name in unused)
            print(f"Not used by --method={run.settings.method}: {flags}.")
        seconds, rate = train_stages(run, group)
        with run.directory.replacing(names.GROUP) as path:
            group.save(path)
        written = finish(run, group, seconds, rate) if workers.is_chief else None
        written = workers.from_chief(written)  # nobody leaves before the chief has written it
        workers.part()
        return written


def train_stages(run, group):
    """Trains the group, stage after stage; that of the pivot unless it brings its weights.

    Returns:
        How many seconds each stage took, by name; and how many images per second *the* student
        learnt from, the time of the stages before its own included, but neither the pivot's nor
        evaluation. NaN if that is not known.
    """
    stages = [s for s in group.stages if s != PIVOT or preconditions.pivot_learns(run.settings)]
    seconds, seconds_an_image = {}, 0.0
    for number, name in enumerate(stages):
        if stage.is_over(run, name, stages[number + 1 :]):
            learners = ", ".join(group.stages[name])
            print(f"{learners} has learnt: the saves of a later stage hold it.")
            seconds_an_image = math.nan
            continue
        print(_announcement(run, group, name))
        group.enter(name)
        seconds[name], rate = stage.train(run, group)
        if name == PIVOT:
            with run.directory.replacing(names.PIVOT) as path:
                group.pivot.save(path)
        else:
            seconds_an_image += 1 / rate
    return seconds, 1 / seconds_an_image


def _announcement(run, group, name):
    """Returns the line that begins a stage."""
    of_method = [each for each in group.stages if each != PIVOT]
    learners, epochs = ", ".join(group.stages[name]), stage.epochs_of(name, run.settings)
    if name == PIVOT:
        return f"The pivot learns alone: {learners} (epochs: {epochs})."
    number = of_method.index(name) + 1
    what = f"Stage {number} of {len(of_method)}" if len(of_method) > 1 else "The group"
    return f"{what} learns: {learners} (epochs: {epochs})."


def build_group(settings, image_shape, num_classes):
    """Builds the networks and the group of them."""

    def build(flag, name):
        with preconditions.naming(flag):
            network = models.build(name, image_shape, num_classes, settings.head)
        for layer in models.leaf_layers(network):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = settings.sync_batch_norm
        return network

    pivot = build("pivot", settings.pivot)
    students = [build("students", name) for name in settings.students]
    return methods.build(pivot, students, settings)


def compilation(settings):
    """Returns the arguments of `compile` for the group."""
    return {
        "optimizer": L2SGD(settings.learning_rate, settings.momentum, l2=settings.weight_decay),
        "steps_per_execution": settings.steps_per_execution,
        "jit_compile": settings.jit_compile,
    }


def set_up_keras(settings):
    """Sets Keras's random seed and its types, and whether operations are deterministic."""
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(settings.seed)
    half = settings.mixed_precision
    keras.config.set_dtype_policy("float32" if half == "none" else f"mixed_{half}")


def _out_of_the_way(settings):
    """Settings of a worker that is not the chief: what it writes is thrown away at its end."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    return dataclasses.replace(settings, output_dir=directory.name)


def _made_before(directory):
    """Returns the summary of the run if it has finished and all that it wrote is still there."""
    if not directory.is_finished():
        return None
    record, missing = finished(directory.path), checksums.missing(directory.path)
    if not missing:
        return record.summary
    if stage.saves_of(directory.settings, directory, "group").read()[2] is None:
        raise ValueError(
            f"{directory / missing[0]} is missing, and so are the saves to make it from; put it "
            "back, or train anew by adding --overwrite."
        )
    print(f"{directory / missing[0]} is missing; the end of the run is made again.")
    return None


def _load_images(settings, directory, workers):
    """Returns the images, which have to be those that the run began with, on all workers."""
    there = workers.from_chief(workers.together(directory.data_there))
    images = workers.together(
        lambda: data.load(
            settings.dataset,
            settings.data_dir,
            settings.image_size,
            settings.validation_fraction,
            settings.basic_augmentation,
            settings.memory_gb,
            checked=there.get("files"),
        )
    )
    workers.together(lambda: directory.check_data(images.description()))
    preconditions.check_alike(workers, settings, images)
    return images
