"""The story of a run: check, build, train each stage, finish."""

import atexit
import contextlib
import functools
import math
import tempfile

import keras
import tensorflow as tf

from orc_keras import data, models, networks, recipe, run_files, validation
from orc_keras.distribution import devices, strategies
from orc_keras.distribution.workers import Workers
from orc_keras.evaluate_and_export import evaluate_and_export
from orc_keras.files import sha256
from orc_keras.groups import METHODS
from orc_keras.groups.network_group import PIVOT, NetworkGroup
from orc_keras.report import page
from orc_keras.runs import (
    Run,
    RunDirectory,
    checksums,
    continuation,
    directory_of,
    finished_run,
    summary,
)
from orc_keras.training import stage


def prepare(settings):
    """Builds all that a run needs, and checks every input before anything is trained.

    Args:
        settings: `Settings`.

    Returns:
        The run: a function without arguments that trains, writes the run's directory, prints the
        table of members and returns the summary. If the run has finished already, it only shows it.

    Raises:
        ValueError: if the settings are impossible; the message is one sentence.
    """
    validation.check_networks(settings)
    validation.check_size(settings)
    strategy = strategies.choose(settings.strategy)  # before TensorFlow runs any operation
    devices.check(settings.require_gpu)
    workers = Workers(strategy)
    directory = directory_of(settings) if workers.is_chief else _temporary_directory()
    made = workers.broadcast(workers.run_on_all(lambda: _load_finished(directory, settings)))
    if made:
        return functools.partial(show, directory, made, workers)
    validation.check_pivot_weights(settings)
    workers.run_on_all(lambda: continuation.check(directory, settings))
    set_up_keras(settings)
    run = Run(settings, directory, _load_images(settings, directory, workers), workers)
    validation.check_images(run, strategy.num_replicas_in_sync)
    with strategy.scope():
        group = build_group(settings, *of_images(run.images))
        validation.check_memory(settings, group.members.values())
        group.compile(**compilation(settings), **of_members(settings, group))
    if settings.pivot_weights:
        workers.run_on_all(lambda: validation.load_pivot(group.pivot, settings.pivot_weights))
    sources = _sources(settings, group)
    validation.check_sources(workers, run, sources)
    workers.run_on_all(lambda: directory.claim(settings))
    directory.write_json(run_files.DATA, run.images.description())
    if sources:
        directory.write_json(run_files.SOURCES, sources)
    return functools.partial(train, run, group)


def show(directory, made, workers):
    """Prints the table of a finished run and returns its summary.

    Writes the report if it is missing: a run may have been killed just before this last step.
    """
    workers.barrier()
    with workers.only_chief_prints():
        if workers.is_chief and not (directory / run_files.PAGE).exists():
            page.write([directory.path])
        print(f"{directory.path}/ holds this run, finished:\n\n{summary.table(made)}")
    return made


def train(run, group):
    """Trains the group in all stages, exports the student, and writes and prints the results.

    Every worker trains, as the computation is shared, but each writes to a directory of its own.
    """
    workers = run.workers
    with contextlib.closing(run.directory), workers.only_chief_prints():
        strategy = group.distribute_strategy
        print(f"On {devices.description(strategy, run.settings.batch_size)}.")
        if reason := devices.why_no_gpu():
            print(f"An NVIDIA card is here, but TensorFlow does not use it: {reason}.")
        print(summary.data(run.images.description()))
        if unused := run.settings.unused():
            flags = ", ".join(f"--{name}" for name in unused)
            print(f"Not used by --method={run.settings.method}: {flags}.")
        seconds, rate = train_stages(run, group)
        with run.directory.replacing(run_files.GROUP) as path:
            group.save(path)
        written = evaluate_and_export(run, group, seconds, rate) if workers.is_chief else None
        written = workers.broadcast(written)  # all wait for the chief
        workers.barrier()
        return written


def train_stages(run, group):
    """Trains the group in all stages; the pivot's only if the pivot is not trained yet.

    Returns:
        The seconds of each stage, by name; and the training images per second of *the* student,
        NaN if unknown. The time of earlier stages counts, except the pivot's; evaluation does not.
    """
    stages = [s for s in group.stages if s != PIVOT or validation.pivot_learns(run.settings)]
    seconds, seconds_an_image = {}, 0.0
    for number, name in enumerate(stages):
        if stage.is_over(run, name, stages[number + 1 :]):
            learners = ", ".join(group.stages[name])
            print(f"{learners} has learnt: the saves of a later stage hold it.")
            seconds_an_image = seconds_an_image if name == PIVOT else math.nan
            continue
        print(_announcement(run, group, name))
        group.set_stage(name)
        seconds[name], rate = stage.train(run, group)
        if name == PIVOT:
            with run.directory.replacing(run_files.PIVOT) as path:
                group.pivot.save(path)
        else:
            seconds_an_image += 1 / rate
    return seconds, 1 / seconds_an_image


def _announcement(run, group, name):
    """Returns the line that announces a stage."""
    of_method = [each for each in group.stages if each != PIVOT]
    learners, epochs = ", ".join(group.stages[name]), stage.epochs_of(name, run.settings)
    if name == PIVOT:
        return f"The pivot learns alone: {learners} (epochs: {epochs})."
    number = of_method.index(name) + 1
    what = f"Stage {number} of {len(of_method)}" if len(of_method) > 1 else "The group"
    return f"{what} learns: {learners} (epochs: {epochs})."


def of_images(images):
    """Returns the arguments of `build_group` that `ImageData` has."""
    return images.image_shape, images.num_classes, images.mean, images.std


def build_group(settings, image_shape, num_classes, mean=0.0, std=1.0):
    """Builds the networks and their group; the arguments are those of `networks.build`."""

    def build(flag, source):
        with validation.naming(flag):
            network = networks.build(source, image_shape, num_classes, mean, std, settings.vgg_head)
        for layer in models.leaf_layers(network):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = settings.sync_batch_norm
        return network

    pivot = build("pivot", settings.pivot)
    students = [build("students", source) for source in settings.students]
    method = METHODS[settings.method]
    return method(pivot, students, **settings.arguments(method))


def _sources(settings, group):
    """Returns the SHA-256 of all files, code and weights that members come from, by source."""
    sources = zip((settings.pivot, *settings.students), group.members.values())
    sums = {source: networks.checksum(source, network) for source, network in sources}
    if settings.pivot_weights:
        sums[settings.pivot_weights] = sha256(settings.pivot_weights)
    return {source: value for source, value in sums.items() if value}


def compilation(settings):
    """Returns the arguments of `compile` for the group."""
    return {
        "optimizer": recipe.make_optimizer(**settings.arguments(recipe.make_optimizer)),
        **settings.arguments(NetworkGroup.compile),
    }


def of_members(settings, group):
    """Returns the arguments of `compile` that are of a group's members."""
    rates = settings.arguments(recipe.learning_rate_factors)
    return {
        "learning_rate_factors": recipe.learning_rate_factors(**rates, names=list(group.members))
    }


def set_up_keras(settings):
    """Sets Keras's random seed and dtype policy, and whether operations are deterministic."""
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(settings.seed)
    half = settings.mixed_precision
    keras.config.set_dtype_policy("float32" if half == "none" else f"mixed_{half}")


def _temporary_directory():
    """Returns the directory of a worker other than the chief."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    return RunDirectory(directory.name)


def _load_finished(directory, settings):
    """Returns the summary of the run if it has finished and all that it wrote is still there."""
    if not continuation.has_finished(directory, settings):
        return None
    finished, missing = finished_run(directory.path), checksums.missing(directory.path)
    if not missing:
        return finished.summary
    if stage.saves_of(settings, directory, "group").read()[2] is None:
        raise ValueError(
            f"{directory / missing[0]} is missing, and so are the saves to make it from; put it "
            "back, or train anew by adding --overwrite."
        )
    print(f"{directory / missing[0]} is missing; the end of the run is made again.")
    return None


def _load_images(settings, directory, workers):
    """Returns the images; refuses other images than the run began with, on any worker."""
    saved = workers.broadcast(
        workers.run_on_all(lambda: continuation.saved_data(directory, settings))
    )

    def load():
        images = data.load(
            **settings.arguments(data.load),
            known_fingerprint=saved.get("files"),
        )
        return images.with_validation(settings.patience_fraction) if settings.patience else images

    images = workers.run_on_all(load)
    workers.run_on_all(lambda: continuation.check_data(directory, settings, images.description()))
    validation.check_alike(workers, settings, images)
    return images
