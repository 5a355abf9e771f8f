"""The story of a run: data, pivot, group, training, the student's files, the table."""

import atexit
import contextlib
import dataclasses
import functools
import math
import tempfile
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import models
from orc_keras import data, preconditions, report
from orc_keras.distribution import strategies
from orc_keras.distribution.multi_worker import SingleNetwork
from orc_keras.distribution.workers import Workers
from orc_keras.ending import end
from orc_keras.groups import methods
from orc_keras.runs import checksums
from orc_keras.runs import summary as summaries
from orc_keras.runs.directory import RunDirectory, read_summary
from orc_keras.training.optimizers import L2SGD
from orc_keras.training.stage import fit, held_out_batches, is_over, saves_of


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
    if not workers.is_chief:
        settings = _out_of_the_way(settings)
    directory = RunDirectory(settings)
    summary = workers.from_chief(workers.together(lambda: _summary_there(settings, directory)))
    if summary:
        return functools.partial(show_finished, directory, summary, workers)
    preconditions.check_pivot_weights(settings)
    workers.together(directory.check)
    set_up_keras(settings)
    there = workers.from_chief(workers.together(directory.data_there))
    images = workers.together(lambda: _load_images(settings, there.get("files")))
    workers.together(lambda: directory.check_data(images.description()))
    preconditions.check_alike(workers, settings, images)
    preconditions.check_batch_size(
        settings.batch_size, len(images.train), strategy.num_replicas_in_sync
    )
    preconditions.check_steps(
        settings.steps_per_execution, len(images.train) // settings.batch_size
    )
    with strategy.scope():
        group = build_group(settings, images.image_shape, images.num_classes)
        preconditions.check_memory(settings, group.members.values())
        group.compile(**compilation(settings))
    if settings.pivot_weights:
        workers.together(lambda: load_pivot(group.pivot, settings.pivot_weights))
    workers.together(directory.claim)
    directory.write_json("data.json", images.description())
    return functools.partial(run, settings, directory, images, group, workers)


def show_finished(directory, summary, workers):
    """Prints the table of a run that has been made before, and returns its summary.

    A report that is missing is written: it is the last thing that a run does.
    """
    workers.part()
    with workers.chief_speaking():
        if workers.is_chief and not (directory / report.PAGE).exists():
            report.write([directory.path])
        print(f"{directory.path}/ holds this run, finished:\n\n{summaries.table(summary)}")
    return summary


def run(settings, directory, images, group, workers):
    """Trains the pivot, then the group; exports the student; writes and prints what came out.

    Every worker trains, each in its own directory, because they compute it together.
    """
    with contextlib.closing(directory), workers.chief_speaking():
        print(summaries.data(images.description()))
        if unused := settings.unused():
            names = ", ".join(f"--{name}" for name in unused)
            print(f"Not used by --method={settings.method}: {names}.")
        seconds_of_pivot = train_pivot(settings, directory, group, images, workers)
        seconds, rate = train_group(settings, directory, group, images, workers)
        with directory.replacing("checkpoints/group.keras") as path:
            group.save(path)
        summary = None
        if workers.is_chief:
            summary = end(settings, directory, images, group, seconds_of_pivot, seconds, rate)
        summary = workers.from_chief(summary)  # nobody leaves before the chief has written it
        workers.part()
        return summary


def train_pivot(settings, directory, group, images, workers):
    """Trains the pivot alone, by plain cross-entropy; returns how many seconds it took."""
    if settings.pivot_weights or not settings.pivot_epochs or not group.pivot_learns_before:
        return 0.0
    if is_over("pivot", list(group.stages), settings, directory, workers):
        print("The pivot has learnt alone: the saves of the group hold it, its own are lost.")
        return 0.0
    print(f"The pivot learns alone: {group.pivot_name} (epochs: {settings.pivot_epochs}).")
    with group.distribute_strategy.scope():
        alone = SingleNetwork(group.pivot)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        alone.compile(loss=loss, metrics=["accuracy"], **compilation(settings))
        # Only what is built can be restored; Keras would build them when they are first used.
        alone.optimizer.build(alone.trainable_variables)
    alone.evaluate(held_out_batches(alone, settings, images), steps=1, verbose=0)
    seconds, _ = fit(alone, settings.pivot_epochs, settings, directory, "pivot", images, workers)
    with directory.replacing("checkpoints/pivot.keras") as path:
        group.pivot.save(path)
    return seconds


def train_group(settings, directory, group, images, workers):
    """Trains the group, stage after stage.

    Returns:
        How many seconds it took; and how many images per second *the* student learnt from, the time
        of the stages before its own included, evaluation not. NaN if that is not known.
    """
    seconds, seconds_an_image = 0.0, 0.0
    for number, (stage, learners) in enumerate(group.stages.items(), start=1):
        if is_over(stage, list(group.stages)[number:], settings, directory, workers):
            print(f"{', '.join(learners)} has learnt: the saves of a later stage hold it.")
            seconds_an_image = math.nan
            continue
        what = f"Stage {number} of {len(group.stages)}" if len(group.stages) > 1 else "The group"
        print(f"{what} learns: {', '.join(learners)} (epochs: {settings.epochs}).")
        group.enter(stage)
        of_stage, rate = fit(group, settings.epochs, settings, directory, stage, images, workers)
        seconds += of_stage
        seconds_an_image += 1 / rate
    return seconds, 1 / seconds_an_image


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


def load_pivot(pivot, path):
    """Loads weights from a file into the pivot, or says that they do not fit."""
    if not Path(path).is_file():
        raise ValueError(f"--pivot_weights={path} is not a file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # what Keras merely skips does not fit
            pivot.load_weights(path)
    except (UserWarning, ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"--pivot_weights={path} does not hold the weights of a {pivot.name} for images of "
            f"shape {pivot.input_shape[1:]} and {pivot.output_shape[-1]} classes."
        ) from error
    for weight in pivot.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(
                f"--pivot_weights={path} has NaN or infinite numbers in {weight.path}."
            )


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


def _summary_there(settings, directory):
    """Returns the summary of the run if it has finished and all that it wrote is still there."""
    if not directory.is_finished():
        return None
    summary = read_summary(directory.path)
    missing = checksums.missing(directory.path)
    if not missing:
        return summary
    if saves_of(settings, directory, "group").read()[2] is None:
        raise ValueError(
            f"{directory / missing[0]} is missing, and so are the saves to make it from; put it "
            "back, or train anew by adding --overwrite."
        )
    print(f"{directory / missing[0]} is missing; the end of the run is made again.")
    return None


def _load_images(settings, checked):
    return data.load(
        settings.dataset,
        settings.data_dir,
        settings.image_size,
        settings.validation_fraction,
        settings.basic_augmentation,
        settings.memory_gb,
        checked=checked,
    )


def compilation(settings):
    """Returns the arguments of `compile` for the group, and for its pivot alone."""
    return {
        "optimizer": L2SGD(settings.learning_rate, settings.momentum, l2=settings.weight_decay),
        "steps_per_execution": settings.steps_per_execution,
        "jit_compile": settings.jit_compile,
    }
