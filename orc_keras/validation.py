"""Checks before a run begins. Each raises ValueError with one sentence."""

import contextlib
import dataclasses
import functools
import math
import os
import resource
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from orc_keras import data, models, networks, recipe
from orc_keras.callbacks.role_history import WRITE_EVERY
from orc_keras.groups import METHODS
from orc_keras.networks import kind_of
from orc_keras.networks.sources import name_of
from orc_keras.runs import continuation


def check_method(settings):
    """Raises ValueError if the method is impossible with these settings.

    Networks without weights stand in for the members.
    """

    def network(name):
        image = keras.Input((1, 1, 2))
        return keras.Model(image, keras.layers.Flatten()(image), name=name)

    pivot, *students = map(name_of, (settings.pivot, *settings.students))
    method = METHODS[settings.method]
    students = [network(name) for name in students]
    method(network(pivot), students, **settings.arguments(method))


@contextlib.contextmanager
def naming(flag):
    """Prefixes the message of a ValueError with the name of a flag."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"--{flag}: {error}") from None


def check_networks(settings):
    """Refuses networks that are unknown or missing, before images are downloaded."""
    for flag, sources in _sources(settings):
        for source in sources:
            with naming(flag):
                networks.check(source, settings.vgg_head)


def _sources(settings):
    """Yields the flags that name networks, and the sources in each."""
    yield "pivot", (settings.pivot,)
    yield "students", settings.students


def _names(settings):
    """Yields the same, with names in `models/` only: these can be built without the images."""
    for flag, sources in _sources(settings):
        yield flag, [source for source in sources if kind_of(source) == "name"]


def check_size(settings):
    """Refuses an `--image_size` too large for the memory, before images are read."""
    if settings.image_size:
        size = (settings.image_size, settings.image_size)
        names = dict.fromkeys(name for _, names in _names(settings) for name in names)
        check_memory(settings, [_build(name, size, settings.vgg_head) for name in names])


_dataset_size = functools.cache(data.dataset_size)  # a comparison checks every variant


@functools.cache
def _build(name, size, head):
    """Builds a network for 1 channel and 2 classes, since the numbers are not known yet."""
    return models.build(name, (*size, 1), 2, head)


def check_memory(settings, networks):
    """Refuses members whose mini-batch cannot fit into memory.

    Until its backward pass a network keeps at least half of its layers' activations, in 4 bytes
    each, or in 2 under mixed precision: a lower bound of 1 byte per activation. TensorFlow does not
    report the memory of a GPU, so there the first step fails instead.
    """
    if tf.config.list_physical_devices("GPU"):
        return
    there = _memory()
    for network in networks:
        needed = settings.batch_size * models.activations(network)  # at 1 byte each
        if needed > there:
            height, width, _ = network.input_shape[1:]
            flags = f"--batch_size={settings.batch_size}"
            flags += f" and --image_size={settings.image_size}" * bool(settings.image_size)
            raise ValueError(
                f"{flags}: {network.name} takes more than {needed / 1e9:,.0f} GB for a mini-batch "
                f"of {height} x {width} pixels, and there are {there / 1e9:,.0f} GB of memory."
            )


def _memory():
    """Returns the bytes of memory that this process can have: the machine's, or a limit's."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    limits += [resource.getrlimit(resource.RLIMIT_AS)[0]]  # as by `ulimit -v`; -1: none
    of_container = Path("/sys/fs/cgroup/memory.max")
    limits += [int(of_container.read_text().replace("max", "-1"))] if of_container.exists() else []
    return min(limit for limit in limits if limit > 0)


def pivot_learns(settings):
    """Whether this run trains the pivot alone before the group."""
    before = METHODS[settings.method].trains_pivot_first
    has_learnt = settings.pivot_weights or kind_of(settings.pivot) == "file"
    return before and settings.pivot_epochs > 0 and not has_learnt


def check_pivot_weights(settings):
    """Refuses `--pivot_weights` if the method trains the pivot, or a file has its weights."""
    if settings.pivot_weights and kind_of(settings.pivot) == "file":
        raise ValueError(f"--pivot_weights is not for a pivot from a file, {settings.pivot}.")
    if settings.pivot_weights and not METHODS[settings.method].trains_pivot_first:
        raise ValueError(
            f"--pivot_weights is not for --method={settings.method}, in which the pivot learns "
            "from scratch."
        )


def check_dataset_size(settings):
    """Refuses a dataset that is missing or too small, and networks too large for its images."""
    number, size = _dataset_size(
        settings.dataset, settings.data_dir, settings.image_size, settings.validation_fraction
    )
    number = learnt_from(settings, number)
    check_batch_size(settings.batch_size, number)
    check_steps(settings.steps_per_execution, number // settings.batch_size)
    for flag, names in _names(settings):
        for name in names:
            with naming(flag):
                _build(name, size, settings.vgg_head)


def learnt_from(settings, number):
    """Returns how many of `number` training images members learn from: not the validation part."""
    apart = math.ceil(number * settings.patience_fraction) if settings.patience else 0
    return number - apart


def check_images(run, replicas):
    """Refuses `--batch_size` and `--steps_per_execution` that do not suit a run's images."""
    settings, number = run.settings, len(run.images.train)
    if settings.patience and run.workers.number > 1:
        raise ValueError("--patience works on one machine: its best weights lie in a file there.")
    check_batch_size(settings.batch_size, number, replicas)
    check_steps(settings.steps_per_execution, number // settings.batch_size)
    recipe.class_weights(settings.class_weight, images=run.images)


def check_batch_size(batch_size, number, replicas=1):
    """Refuses a mini-batch larger than the training set, or not divisible by the replicas."""
    if batch_size > number:
        raise ValueError(f"--batch_size={batch_size} is more than the {number} training images.")
    if batch_size % replicas:
        raise ValueError(f"--batch_size={batch_size} is not divisible by the {replicas} replicas.")


def check_steps(steps_per_execution, steps):
    """Refuses `steps_per_execution` if it does not divide the steps of an epoch."""
    if steps % steps_per_execution:
        most = min(steps, WRITE_EVERY)  # the role history takes no more
        possible = ", ".join(str(n) for n in range(1, most + 1) if steps % n == 0)
        raise ValueError(
            f"--steps_per_execution={steps_per_execution} does not divide the {steps} steps of an "
            f"epoch; possible are {possible}."
        )


def check_alike(workers, settings, images):
    """Refuses workers whose settings or images differ from the chief's."""
    own = ("output_dir", "overwrite", "data_dir", "memory_gb", "mean", "std")
    ours = dataclasses.asdict(settings) | images.description()
    chief = workers.broadcast(ours)

    def check():
        different = [key for key in ours if key not in own and ours[key] != chief.get(key)]
        if different:
            raise ValueError(
                f"Worker {workers.index} differs from the chief in {', '.join(different)}; all "
                "workers need the same flags and the same images."
            )

    workers.run_on_all(check)


def check_sources(workers, run, sources):
    """Refuses files and code of members that differ from the chief's, or from a run's begin.

    Args:
        workers: `Workers`.
        run: the `Run`.
        sources: their checksums, by source.
    """
    chief = workers.broadcast(sources)

    def check():
        for source, checksum in sources.items():
            if chief.get(source) != checksum:
                raise ValueError(f"Worker {workers.index} has another {source} than the chief.")
        continuation.check_sources(run.directory, run.settings, sources)

    workers.run_on_all(check)


def load_pivot(pivot, path):
    """Loads weights from a file into the pivot; refuses weights that do not fit."""
    if not Path(path).is_file():
        raise ValueError(f"--pivot_weights={path} is not a file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns of weights that it skips
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
