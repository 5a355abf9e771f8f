"""The story of a run: data, pivot, group, training, the student's files, the table."""

import atexit
import contextlib
import dataclasses
import functools
import tempfile
import warnings
import zipfile
from pathlib import Path

import keras
import tensorflow as tf

import models
from orc_keras import data, distribution, methods, run_directory
from orc_keras import summary as summaries
from orc_keras.distributed_model import SingleNetwork
from orc_keras.ending import end
from orc_keras.fitting import fit, held_out_batches
from orc_keras.optimizers import L2SGD
from orc_keras.run_directory import RunDirectory
from orc_keras.workers import Workers


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
    check_networks(settings)
    strategy = distribution.strategy(settings.strategy)  # before TensorFlow computes anything
    workers = Workers(strategy)
    if not workers.is_chief:
        settings = _out_of_the_way(settings)
    directory = RunDirectory(settings)
    summary = workers.from_chief(workers.together(lambda: _summary_there(directory)))
    if summary:
        return functools.partial(show_finished, directory, summary, workers)
    _check_pivot_weights(settings)
    workers.together(directory.check)
    set_up_keras(settings)
    there = workers.from_chief(workers.together(directory.data_there))
    images = workers.together(lambda: _load_images(settings, there.get("files")))
    workers.together(lambda: directory.check_data(images.description()))
    _check_alike(workers, settings, images)
    _check_batch_size(settings.batch_size, images, strategy.num_replicas_in_sync)
    _check_steps(settings.steps_per_execution, len(images.train) // settings.batch_size)
    with strategy.scope():
        group = build_group(settings, images.image_shape, images.num_classes)
        group.compile(**compilation(settings))
    if settings.pivot_weights:
        workers.together(lambda: load_pivot(group.pivot, settings.pivot_weights))
    workers.together(directory.claim)
    directory.write_json("data.json", images.description())
    return functools.partial(run, settings, directory, images, group, workers)


def show_finished(directory, summary, workers):
    """Prints the table of a run that has been made before, and returns its summary."""
    workers.part()
    with workers.chief_speaking():
        print(f"{directory.path}/ holds this run, finished:\n\n{summaries.table(summary)}")
    return summary


def run(settings, directory, images, group, workers):
    """Trains the pivot, then the group; exports the student; writes and prints what came out.

    Every worker trains, each in its own directory, because they compute it together.
    """
    with contextlib.closing(directory), workers.chief_speaking():
        print(summaries.data(images.description()))
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
        with _naming(flag):
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


def set_up_keras(settings):
    """Sets Keras's random seed and its types, and whether operations are deterministic."""
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(settings.seed)
    half = settings.mixed_precision
    keras.config.set_dtype_policy("float32" if half == "none" else f"mixed_{half}")


@contextlib.contextmanager
def _naming(flag):
    """Puts the name of the flag that is wrong before the message."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"--{flag}: {error}") from None


def _out_of_the_way(settings):
    """Settings of a worker that is not the chief: what it writes is thrown away at its end."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    return dataclasses.replace(settings, output_dir=directory.name)


def _summary_there(directory):
    return run_directory.read_summary(directory.path) if directory.is_finished() else None


def _check_alike(workers, settings, images):
    """Refuses workers that have other settings or other images than the chief."""
    own = ("output_dir", "overwrite", "data_dir", "memory_gb", "mean", "std")
    ours = dataclasses.asdict(settings) | images.description()
    chief = workers.from_chief(ours)

    def check():
        different = [key for key in ours if key not in own and ours[key] != chief.get(key)]
        if different:
            raise ValueError(
                f"Worker {workers.index} differs from the chief in {', '.join(different)}; all "
                "workers need the same flags and the same images."
            )

    workers.together(check)


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


def check_networks(settings):
    """Refuses names that no network has, before anything is downloaded."""
    for flag, names in (("pivot", (settings.pivot,)), ("students", settings.students)):
        for name in names:
            with _naming(flag):
                models.smallest_size(name, settings.head)


def _check_pivot_weights(settings):
    if settings.pivot_weights and not methods.METHODS[settings.method][0].pivot_learns_before:
        raise ValueError(
            f"--pivot_weights is not for --method={settings.method}, in which the pivot learns "
            "from scratch."
        )


def _check_batch_size(batch_size, images, replicas):
    if batch_size > len(images.train):
        raise ValueError(
            f"--batch_size={batch_size} is more than the {len(images.train)} images to learn from."
        )
    if batch_size % replicas:
        raise ValueError(f"--batch_size={batch_size} is not divisible by the {replicas} replicas.")


def _check_steps(steps_per_execution, steps):
    if steps % steps_per_execution:
        possible = ", ".join(str(n) for n in range(1, steps + 1) if steps % n == 0)
        raise ValueError(
            f"--steps_per_execution={steps_per_execution} does not divide the {steps} steps of an "
            f"epoch; possible are {possible}."
        )


def compilation(settings):
    """Returns the arguments of `compile` for the group, and for its pivot alone."""
    return {
        "optimizer": L2SGD(settings.learning_rate, settings.momentum, l2=settings.weight_decay),
        "steps_per_execution": settings.steps_per_execution,
        "jit_compile": settings.jit_compile,
    }
