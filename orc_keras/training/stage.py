"""A stage of a run: a model is fitted, saved, and continued where it was saved last."""

import csv
import functools
import math
import sys

import keras
import numpy as np
import tensorflow as tf

from orc_keras import data
from orc_keras.callbacks import (
    GroupTensorBoard,
    RoleHistory,
    StopOnNonFiniteLoss,
    StudentProgress,
    Throughput,
)
from orc_keras.distribution import strategies
from orc_keras.training.checkpoints import Saves
from orc_keras.training.resume import SaveAndContinue


def fit(model, epochs, settings, directory, stage, images, workers):
    """Fits a model, from where this run has saved it last.

    Args:
        model: a compiled `keras.Model`; it, its optimizer and its metrics are built.
        epochs: how many there are in all.
        settings: `Settings`.
        directory: `RunDirectory`.
        stage: "pivot", or one of the group's stages.
        images: `ImageData`.
        workers: `Workers`.

    Returns:
        How many seconds it took, in this process and in earlier ones; and the median of the images
        per second of this process's epochs, evaluation not counted, NaN if there was none.

    Raises:
        OSError: if an image can no longer be read, or something cannot be written.
    """
    history = directory / ("history.csv" if stage == "group" else f"{stage}_history.csv")
    steps_per_epoch = len(images.train) // settings.batch_size
    saves = saves_of(settings, directory, stage)
    progress = SaveAndContinue(saves, steps_per_epoch, settings.saving(), history, workers)
    if progress.first_step:
        steps = epochs * steps_per_epoch
        print(f"Continuing: {progress.first_step:,} of {steps:,} steps are done.")
    throughput = Throughput()
    try:
        model.fit(
            _train_batches(model, settings, images, progress.first_step, throughput),
            epochs=epochs,
            initial_epoch=progress.epoch,
            steps_per_epoch=steps_per_epoch,
            validation_data=held_out_batches(model, settings, images),
            validation_steps=math.ceil(len(images.held_out) / settings.batch_size),
            callbacks=[
                StopOnNonFiniteLoss(),  # before what is lost is saved
                progress,
                StudentProgress(),
                *([RoleHistory(directory / "roles.npy")] if _changes_roles(model) else []),
                keras.callbacks.LearningRateScheduler(_learning_rate(settings)),
                keras.callbacks.CSVLogger(history, append=True),  # which is to be repeatable
                throughput,
                GroupTensorBoard(directory / "tensorboard" / stage),
            ],
            shuffle=False,  # the pipeline does that
            verbose="auto" if sys.stdout.isatty() else 2,  # a line an epoch where nobody watches
        )
    except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
        _name_images(images, error)
        raise
    finally:
        progress.release_signals()
    return progress.seconds, float(np.median(throughput.rates)) if throughput.rates else math.nan


def saves_of(settings, directory, stage):
    """Returns the `Saves` of a stage; a save of a run with other settings is none of theirs."""
    run = str(settings.identity())
    return Saves(directory / "checkpoints", stage, settings.keep, run=run)


def is_over(stage, later, settings, directory, workers):
    """Whether the saves of a stage are lost, but those of a later one, which hold all, are not.

    Args:
        stage: its name.
        later: the names of the stages that follow it.
        settings: `Settings`.
        directory: `RunDirectory`.
        workers: `Workers`, of which the chief looks.
    """

    def is_there(stage):
        return saves_of(settings, directory, stage).read()[2] is not None

    return workers.from_chief(not is_there(stage) and any(map(is_there, later)))


def held_out_batches(model, settings, images):
    """Returns the held-out images as `model.evaluate` takes them."""
    batches = functools.partial(data.held_out_batches, images, settings.batch_size)
    return strategies.distributed(model.distribute_strategy, batches)


def _train_batches(model, settings, images, first_step, throughput):
    how = (settings.batch_size, settings.seed, first_step, settings.augmentation)

    def batches(replicas):
        return throughput.timed(data.train_batches(images, *how, replicas))

    return strategies.distributed(model.distribute_strategy, batches)


def _changes_roles(model):
    return hasattr(model, "recent_teachers")


def _learning_rate(settings):
    decays = np.array(settings.decay_epochs)

    def learning_rate(epoch, _):
        return settings.learning_rate * settings.decay_factor ** int(np.sum(epoch >= decays))

    return learning_rate


def _name_images(images, error):
    """Raises OSError with the names of images, if `error` came from reading them."""
    try:
        images.check()
    except ValueError as reason:
        raise OSError(f"Images can no longer be read. {reason}") from error


def read_history(path):
    """Returns the values of each metric, an epoch each, by name, from a run's `history.csv`."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}
