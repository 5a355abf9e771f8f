"""The story of a run: check, build, train each stage, evaluate, export."""

import atexit
import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Callable
from typing import Any

from orc_keras import building, checksums, data, run_files, validation
from orc_keras.arguments import as_text
from orc_keras.distribution import devices, strategies
from orc_keras.distribution.workers import Workers
from orc_keras.evaluate.trained_pivot import evaluate_pivot
from orc_keras.evaluate_and_export import evaluate_and_export, write_report
from orc_keras.groups.network_group import PIVOT, NetworkGroup
from orc_keras.runs import (
    Run,
    RunDirectory,
    continuation,
    directory_of,
    finished_run,
    summary,
)
from orc_keras.settings import Settings, parse
from orc_keras.training import stage


def train(**settings: Any) -> RunDirectory:
    """Trains a group as `orc-keras train` does, and returns the finished run.

        run = orc_keras.train(
            dataset="folder:~/photos", image_size=64, epochs=30, pivot_epochs=30,
            pivot="resnet20", students=["resnet14", "resnet8"], output_dir="runs/photos")
        run.summary["members"]["resnet8"]["accuracy"]
        keras.saving.load_model(run / "student.keras")

    The same call again continues a run that was interrupted, and returns one that has finished.

    Args:
        **settings: the flags of `orc-keras train` by name; `orc_keras.settings.Settings` says what
            each does. `dataset`, `pivot` and `students` are needed.

    Returns:
        The directory of the finished run, which reads its files.

    Raises:
        ValueError: if a setting is impossible; the message names its flag.
    """
    wanted = parse(f"--{name}={as_text(value)}" for name, value in settings.items())
    directory = directory_of(wanted)
    prepare(dataclasses.replace(wanted, output_dir=str(directory.path)))()
    return directory


def prepare(settings: Settings) -> Callable[[], dict[str, Any]]:
    """Builds all that a run needs, and checks every input before anything is trained.

    Args:
        settings: the settings of the run.

    Returns:
        The run: a function without arguments that trains, writes the run's directory, prints the
        table of members and returns the summary. If the run has finished already, it only shows it.

    Raises:
        ValueError: if the settings are impossible; the message is one sentence.
    """
    validation.check_networks(settings)
    strategy = strategies.choose(settings.strategy)  # before TensorFlow runs any operation
    devices.check(settings.require_gpu)
    workers = Workers(strategy)
    directory = directory_of(settings) if workers.is_chief else _temporary_directory()
    finished = workers.broadcast(workers.run_on_all(lambda: _load_finished(directory, settings)))
    if finished:
        return functools.partial(show_finished, directory, finished, workers)
    validation.check_pivot_weights(settings)
    validation.check_pivot_is_trained(settings)
    workers.run_on_all(lambda: continuation.check(directory, settings))
    building.set_up_keras(settings)
    run = Run(settings, directory, _load_images(settings, directory, workers), workers)
    images = run.images
    validation.check_images(run, strategy.num_replicas_in_sync)
    with strategy.scope():
        group = building.build_group(
            settings, images.image_shape, images.num_classes, images.mean, images.std
        )
    if settings.pivot_weights:
        workers.run_on_all(lambda: building.load_pivot(group.pivot, settings.pivot_weights))
    sources = building.source_checksums(settings, group)
    validation.check_sources(run, sources)
    workers.run_on_all(lambda: directory.lock(settings))
    directory.write_json(run_files.DATA, images.description())
    if sources:
        directory.write_json(run_files.SOURCES, sources)
    return functools.partial(train_and_evaluate, run, group)


def show_finished(
    directory: RunDirectory, contents: dict[str, Any], workers: Workers
) -> dict[str, Any]:
    """Prints the table of a finished run and returns its summary, `contents`.

    Writes the report if it is missing: a run may have been killed just before this last step.
    """
    workers.barrier()
    with workers.only_chief_prints():
        if workers.is_chief and not directory.has(run_files.PAGE):
            write_report(directory)
        results = summary.results(contents, directory.path)
        print(f"{directory.path}/ holds this run, finished:\n\n{results}")
    return contents


def train_and_evaluate(run: Run, group: NetworkGroup) -> dict[str, Any]:
    """Trains the group in all stages, exports the student, and writes and prints the results.

    Every worker trains, as the computation is shared, but each writes to a directory of its own.

    Returns:
        The summary.

    Raises:
        OSError: if an image can no longer be read, if the settings in the directory are other
            ones now, or if something cannot be written.
    """
    workers, reading = run.workers, run.images.naming_unreadable()
    with contextlib.closing(run.directory), workers.only_chief_prints(), reading:
        _print_introduction(run, group)
        if building.pivot_has_learnt(run.settings):
            evaluate_pivot(run, group)
        seconds = train_stages(run, group)
        with run.directory.atomic_write(run_files.GROUP) as path:
            group.save(path)
        contents = None
        if workers.is_chief:
            contents = evaluate_and_export(run, group, seconds)
        contents = workers.broadcast(contents)  # all wait for the chief
        workers.barrier()
        return contents


def _print_introduction(run, group):
    settings, strategy = run.settings, group.distribute_strategy
    print(f"On {devices.description(strategy, settings.batch_size)}.")
    if reason := devices.why_no_gpu():
        print(f"An NVIDIA card is here, but TensorFlow does not use it: {reason}.")
    print(summary.describe_images(run.images.description()))
    if unused := settings.unused():
        flags = ", ".join(f"--{name}" for name in unused)
        print(f"Not used by --method={settings.method}: {flags}.")


def train_stages(run: Run, group: NetworkGroup) -> dict[str, float]:
    """Trains the group in all stages; the pivot's only if the pivot is not trained yet.

    Returns:
        The seconds of each stage, by name.
    """
    stages = [s for s in group.stages if s != PIVOT or building.trains_pivot(run.settings)]
    seconds = {}
    for number, name in enumerate(stages):
        if stage.is_already_trained(run, name, stages[number + 1 :]):
            learners = ", ".join(group.stages[name])
            print(f"{learners} has learnt: the saves of a later stage hold it.")
            continue
        print(_announcement(run, group, name))
        group.set_stage(name)
        seconds[name] = stage.train(run, group)
        continuation.check_undisturbed(run.directory, run.settings, run.images.description())
        # Other runs may have begun from the file, and its checksum changes with its date.
        if name == PIVOT and not run.directory.has(run_files.PIVOT):
            with run.directory.atomic_write(run_files.PIVOT) as path:
                group.pivot.save(path)
    return seconds


def _announcement(run, group, name):
    """Returns the line that announces a stage."""
    learners, epochs = ", ".join(group.stages[name]), stage.epochs_of(name, run.settings)
    if name == PIVOT:
        return f"The pivot learns alone: {learners} (epochs: {epochs})."
    stages = list(group.group_stages())
    number = f"Stage {stages.index(name) + 1} of {len(stages)}" if len(stages) > 1 else "The group"
    return f"{number} learns: {learners} (epochs: {epochs})."


def _temporary_directory():
    """Returns the directory of a worker other than the chief."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    return RunDirectory(directory.name)


def _load_finished(directory, settings):
    """Returns the summary of the run if it has finished and all that it wrote is still there."""
    if not continuation.has_finished(directory, settings):
        return None
    finished = finished_run(directory.path)
    missing = [name for name in checksums.read(directory.path) if not directory.has(name)]
    if not missing:
        return finished.summary
    if stage.checkpoints_of(settings, directory, "group").read()[2] is None:
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
        images = data.load(**settings.arguments(data.load), known_notes=saved)
        return images.with_validation(settings.patience_fraction) if settings.patience else images

    images = workers.run_on_all(load)
    workers.run_on_all(lambda: continuation.check_data(directory, settings, images.description()))
    validation.check_workers(workers, settings, images.description())
    return images
