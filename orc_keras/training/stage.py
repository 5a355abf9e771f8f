"""Trains one stage of a run, continuing from its newest checkpoint."""

import functools
import math
import sys
from collections.abc import Sequence

import keras
import tensorflow as tf

from orc_keras import data, recipe, run_files
from orc_keras.callbacks import (
    EarlyStopping,
    GroupCSVLogger,
    GroupTensorBoard,
    ProgressLine,
    RoleHistory,
    StopOnNonFiniteLoss,
    StudentProgress,
    Throughput,
)
from orc_keras.callbacks.group_csv_logger import parse_history
from orc_keras.distribution import strategies
from orc_keras.groups.network_group import PIVOT, NetworkGroup
from orc_keras.runs import Run, RunDirectory, continuation
from orc_keras.settings import Settings
from orc_keras.training.backup_and_restore import BackupAndRestore
from orc_keras.training.checkpoints import CheckpointManager
from orc_keras.training.signals import StopSignals


def train(run: Run, group: NetworkGroup) -> float:
    """Trains the group of a run in its current stage.

    Args:
        run: `Run`.
        group: a compiled `NetworkGroup`.

    Returns:
        The seconds it took, in this process and in earlier ones.

    Raises:
        OSError: if something cannot be written.
    """
    settings, history = run.settings, run.directory / run_files.history(group.stage)
    steps_per_epoch = len(run.images.train) // settings.batch_size
    epochs = epochs_of(group.stage, settings)
    checkpoints, throughput = checkpoints_of(settings, run.directory, group.stage), Throughput()
    with StopSignals() as signals:
        progress = BackupAndRestore(
            checkpoints,
            steps_per_epoch,
            settings.save_interval(),
            history,
            run.workers,
            signals,
            functools.partial(continuation.check_files, run.directory),
        )
        if progress.first_step:
            steps = epochs * steps_per_epoch
            print(f"Continuing: {progress.first_step:,} of {steps:,} steps are done.")
        stopping = _stopping(run, group, progress)
        callbacks = _callbacks(run, group, progress, throughput, history) + stopping
        for last_epoch, steps in progress.fit_segments(epochs):
            if not any(each.is_over for each in stopping):
                _fit(run, group, progress, throughput, callbacks, last_epoch, steps)
    for each in stopping:
        each.restore_best()
        number = (each.best_epoch or 0) + 1
        print(f"These are the weights of epoch {number}, the best on validation images.")
    return progress.seconds


def epochs_of(stage: str, settings: Settings) -> int:
    """Returns the number of epochs of a stage."""
    return settings.pivot_epochs if stage == PIVOT else settings.epochs


def checkpoints_of(settings: Settings, directory: RunDirectory, stage: str) -> CheckpointManager:
    """Returns the `CheckpointManager` of a stage, valid only for runs with the same settings."""
    run = str(settings.identity())
    return CheckpointManager(
        directory / run_files.CHECKPOINTS, stage, settings.max_checkpoints, run=run
    )


def is_already_trained(run: Run, stage: str, later: Sequence[str]) -> bool:
    """Whether a stage has no checkpoints, but a later one has, which include the stage's result.

    Args:
        run: `Run`; its chief worker looks.
        stage: its name.
        later: the names of the stages that follow it.
    """

    def has_checkpoint(stage):
        return checkpoints_of(run.settings, run.directory, stage).read()[2] is not None

    return run.workers.broadcast(not has_checkpoint(stage) and any(map(has_checkpoint, later)))


def _stopping(run, group, progress):
    """Returns a list with the callback that ends the stage early, if it may; with its memory."""
    if not run.settings.patience:
        return []
    path = run.directory / run_files.best(group.stage)
    stopping = EarlyStopping(run.settings.patience, path)
    stopping.set_model(group)
    stopping.restore_history(parse_history(progress.saved_history))
    return [stopping]


def _callbacks(run, group, progress, throughput, history):
    """Returns the callbacks of a stage; their order matters."""
    epochs = epochs_of(group.stage, run.settings)
    changes_roles = group.role_record and group.stage != PIVOT
    return [
        StopOnNonFiniteLoss(),  # before a diverged state is saved
        progress,
        StudentProgress(),
        *([RoleHistory(run.directory / run_files.ROLES)] if changes_roles else []),
        _learning_rate_scheduler(run.settings, epochs),
        GroupCSVLogger(history, append=True),  # repeatable: without rates
        throughput,
        GroupTensorBoard(run.directory / run_files.TENSORBOARD / group.stage),
        ProgressLine(
            epochs,
            progress.steps_per_epoch,
            run.settings.batch_size,
            progress.first_step,
            progress.seconds,
            split_name="validation" if run.images.validation else "held out",
        ),
    ]


def _learning_rate_scheduler(settings, epochs):
    arguments = settings.arguments(recipe.learning_rate_multiplier)
    factor = recipe.learning_rate_multiplier(**arguments, epochs=epochs)
    return keras.callbacks.LearningRateScheduler(
        lambda epoch, _: settings.learning_rate * factor(epoch)
    )


def _fit(run, group, progress, throughput, callbacks, last_epoch, steps):
    """Trains to the end of epoch `last_epoch`; `steps` is the number per epoch, or of its rest."""
    batch_size, images = run.settings.batch_size, run.images
    evaluated_images = images.validation or images.held_out
    batches = functools.partial(data.held_out_batches, images, batch_size, images=evaluated_images)
    validation = {
        "validation_data": strategies.distribute(group.distribute_strategy, batches),
        "validation_steps": math.ceil(len(evaluated_images) / batch_size),
    }
    if not steps:
        return finish_epoch(group, progress.epoch, callbacks, **validation, verbose=_verbosity())
    return group.fit(
        _train_batches(run, group, progress.first_step, throughput),
        epochs=last_epoch,
        initial_epoch=progress.epoch,
        steps_per_epoch=steps,
        **validation,
        validation_freq=evaluation_epochs(epochs_of(group.stage, run.settings), run.settings),
        callbacks=callbacks,
        shuffle=False,  # the pipeline does that
        verbose=_verbosity(),
    )


def finish_epoch(
    model: keras.Model,
    epoch: int,
    callbacks: list[keras.callbacks.Callback],
    validation_data: tf.data.Dataset,
    validation_steps: int | None = None,
    verbose: int | str = 0,
) -> None:
    """Does what `fit` does behind the last step of an epoch, for one that was stopped there.

    Args:
        model: a compiled `keras.Model`; `callbacks` restore it.
        epoch: its number, from 0.
        callbacks: those of `fit`; so are the other arguments.
    """
    callback_list = keras.callbacks.CallbackList(
        callbacks, model=model, verbose=verbose, epochs=epoch + 1, steps=validation_steps
    )
    callback_list.on_train_begin()
    callback_list.on_epoch_begin(epoch)
    logs = {name: float(value) for name, value in model.get_metrics_result().items()}
    evaluated = model.evaluate(
        validation_data,
        steps=validation_steps,
        callbacks=callback_list,
        return_dict=True,
        verbose=0,
    )
    callback_list.on_epoch_end(
        epoch, logs | {f"val_{name}": value for name, value in evaluated.items()}
    )
    callback_list.on_train_end()


def evaluation_epochs(epochs: int, settings: Settings) -> list[int]:
    """Returns the epochs that end with an evaluation, counted from 1."""
    every = settings.evaluate_every
    return [*range(every, epochs, every), epochs]


def _verbosity():
    return "auto" if sys.stdout.isatty() else 0  # without a bar, `ProgressLine` says it all


def _train_batches(run, group, first_step, throughput):
    settings, images = run.settings, run.images
    weights = recipe.class_weights(settings.class_weight, images=images)
    arguments = settings.arguments(data.train_batches)

    def batches(replicas):
        batches = data.train_batches(images, **arguments, first_step=first_step, replicas=replicas)
        batches = throughput.time_dataset(batches)
        if weights is None:
            return batches
        return batches.map(lambda images, labels: (images, labels, tf.gather(weights, labels)))

    return strategies.distribute(group.distribute_strategy, batches)
