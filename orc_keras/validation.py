"""Checks settings before a run begins. Each raises ValueError with one sentence."""

import functools
import math
from collections.abc import Iterator

import keras

from orc_keras import data, models, networks, recipe
from orc_keras.building import error_prefix, pivot_has_learnt
from orc_keras.callbacks.role_history import WRITE_EVERY
from orc_keras.distribution.workers import Workers
from orc_keras.groups import METHODS
from orc_keras.networks import kind_of, name_of
from orc_keras.runs import Run, continuation
from orc_keras.settings import Settings


def check_networks(settings: Settings) -> None:
    """Refuses networks that are unknown or missing, before images are downloaded."""
    for flag, source in _sources(settings):
        with error_prefix(flag):
            networks.check(source, settings.vgg_head)


def check_pivot_weights(settings: Settings) -> None:
    """Refuses `--pivot_weights` if a file has the pivot's weights, or the method trains it."""
    if settings.pivot_weights and kind_of(settings.pivot) == "file":
        raise ValueError(f"--pivot_weights is not for a pivot from a file, {settings.pivot}.")
    if settings.pivot_weights and not METHODS[settings.method].trains_pivot_first:
        raise ValueError(
            f"--pivot_weights is not for --method={settings.method}, in which the pivot learns "
            "from scratch."
        )


def check_pivot_is_trained(settings: Settings) -> None:
    """Refuses a pivot that learns more slowly than the others though it has learnt nothing."""
    rate = settings.arguments(METHODS[settings.method]).get("pivot_learning_rate", 1)
    comes_trained = pivot_has_learnt(settings) or kind_of(settings.pivot) == "code"  # perhaps
    if rate < 1 and not settings.pivot_epochs and not comes_trained:
        raise ValueError(
            f"--pivot_epochs=0 leaves the pivot untrained, and --pivot_learning_rate={rate:g} is "
            "for a trained one; give --pivot_learning_rate=1."
        )


def check_method(settings: Settings) -> None:
    """Refuses settings with which the method is impossible.

    Networks without weights stand in for the members.
    """

    def network(source: str) -> keras.Model:
        image = keras.Input((1, 1, 2))
        return keras.Model(image, keras.layers.Flatten()(image), name=name_of(source))

    method = METHODS[settings.method]
    students = [network(source) for source in settings.students]
    method(network(settings.pivot), students, **settings.arguments(method))


def check_dataset_size(settings: Settings) -> None:
    """Refuses a dataset that is missing or too small, and networks too large for its images."""
    number, size = _dataset_size(**settings.arguments(data.dataset_size))
    check_batches(settings, num_training_images(settings, number))
    for flag, source in _sources(settings):
        if kind_of(source) == "name":  # others cannot be built without the images
            with error_prefix(flag):
                models.check_size(source, *size, settings.vgg_head)


_dataset_size = functools.cache(data.dataset_size)  # a comparison checks every variant


def _sources(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yields the source of each network, behind the name of its flag."""
    yield "pivot", settings.pivot
    for source in settings.students:
        yield "students", source


def num_training_images(settings: Settings, number: int) -> int:
    """Returns how many of `number` images members learn from: all but the validation part."""
    validation = math.ceil(number * settings.patience_fraction) if settings.patience else 0
    return number - validation


def check_images(run: Run, replicas: int) -> None:
    """Refuses settings that do not suit a run's images."""
    if run.settings.patience and run.workers.number > 1:
        raise ValueError("--patience works on one machine: its best weights lie in a file there.")
    check_batches(run.settings, len(run.images.train), replicas)
    recipe.class_weights(run.settings.class_weight, images=run.images)


def check_batches(settings: Settings, number: int, replicas: int = 1) -> None:
    """Refuses mini-batches that do not suit a number of training images, or the replicas."""
    batch_size, per_execution = settings.batch_size, settings.steps_per_execution
    if batch_size > number:
        raise ValueError(f"--batch_size={batch_size} is more than the {number} training images.")
    if batch_size % replicas:
        raise ValueError(f"--batch_size={batch_size} is not divisible by the {replicas} replicas.")
    steps = number // batch_size
    if steps % per_execution:
        most = min(steps, WRITE_EVERY)  # the role history takes no more
        possible = ", ".join(str(n) for n in range(1, most + 1) if steps % n == 0)
        raise ValueError(
            f"--steps_per_execution={per_execution} does not divide the {steps} steps of an "
            f"epoch; possible are {possible}."
        )


def check_workers(workers: Workers, settings: Settings, description: dict) -> None:
    """Refuses workers whose settings or images differ from the chief's."""
    own = ("--data_dir", "--memory_gb", *continuation.MAY_DIFFER)
    ours = {f"--{name}": text for name, text in settings.as_texts().items()} | description
    chief = workers.broadcast(ours)

    def check():
        different = [key for key in ours if key not in own and ours[key] != chief.get(key)]
        if different:
            raise ValueError(
                f"Worker {workers.index} differs from the chief in {', '.join(different)}; all "
                "workers need the same flags and the same images."
            )

    workers.run_on_all(check)


def check_sources(run: Run, checksums: dict[str, str]) -> None:
    """Refuses files and code of members that differ from the chief's, or from a run's begin.

    Args:
        run: the run.
        checksums: of the files and code, by source.
    """
    chief = run.workers.broadcast(checksums)

    def check():
        for source, checksum in checksums.items():
            if chief.get(source) != checksum:
                raise ValueError(f"Worker {run.workers.index} has another {source} than the chief.")
        continuation.check_sources(run.directory, run.settings, checksums)

    run.workers.run_on_all(check)
