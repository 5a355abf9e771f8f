"""What a run will take on this machine: orc-keras train --flagfile=wrn40_2 --estimate"""

import math
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from orc_keras import building, data, models, validation
from orc_keras.data.images import PixelImages
from orc_keras.distribution import devices, strategies
from orc_keras.formatting import aligned_table, duration
from orc_keras.groups.network_group import PIVOT, NetworkGroup
from orc_keras.settings import Settings
from orc_keras.training import stage as training

# Datasets that random images can stand in for: shape, classes, training and held-out images.
KNOWN = {
    "cifar10": ((32, 32, 3), 10, 50_000, 10_000),
    "cifar100": ((32, 32, 3), 100, 50_000, 10_000),
    "imagenet2012": ((224, 224, 3), 1000, 1_281_167, 50_000),
}
SECONDS = 10  # of steps in each stage, at least FEWEST executions of them and at most MOST
FEWEST, MOST = 4, 50
HEAD = ("stage", "compiling", "a step", "steps", "an evaluation", "evaluations", "time")


def estimate(settings: Settings) -> str:
    """Makes some steps of each stage, prints what the whole run will take, and returns that text.

    CIFAR's and ImageNet's images are random, so that they need not be there; what reading and
    decoding ImageNet's takes is not in the estimate. Nothing is written.

    Raises:
        ValueError: if the settings are impossible, or the images are needed and are not there.
    """
    validation.check_networks(settings)
    validation.check_pivot_weights(settings)
    validation.check_pivot_is_trained(settings)
    strategy = strategies.choose(settings.strategy)
    devices.check(settings.require_gpu)
    building.set_up_keras(settings)
    images, (train, held_out) = _images(settings)
    train = validation.num_training_images(settings, train)
    validation.check_batches(settings, train, strategy.num_replicas_in_sync)
    with strategy.scope():
        group = building.build_group(
            settings, images.image_shape, images.num_classes, images.mean, images.std
        )
    if settings.pivot_weights:
        building.load_pivot(group.pivot, settings.pivot_weights)
    print(f"On {devices.description(strategy, settings.batch_size)}.", flush=True)
    names = [s for s in group.stages if s != PIVOT or building.trains_pivot(settings)]
    rows, seconds = zip(*(_measure(group, n, settings, images, train, held_out) for n in names))
    text = (
        f"{aligned_table([HEAD, *rows])}\n\n"
        f"{aligned_table(list(_totals(group, sum(seconds), len(names), settings)))}\n\n"
        "The final evaluation, exports and the report come on top."
    )
    print(f"\n{text}")
    return text


def _images(settings: Settings) -> tuple[data.ImageData, tuple[int, int]]:
    """Returns `ImageData`, random if possible, and the real numbers of images."""
    if settings.dataset not in KNOWN:
        images = data.load(**settings.arguments(data.load))
        return images, (len(images.train), len(images.held_out))
    shape, classes, train, held_out = KNOWN[settings.dataset]
    if size := settings.image_size:
        shape = (size, size, shape[-1])
    if fraction := settings.validation_fraction:
        held_out = math.ceil(train * fraction)
        train -= held_out
    number, rng = 4 * settings.batch_size, np.random.default_rng(0)
    pixels = rng.integers(0, 256, (number, *shape), np.uint8)
    images = PixelImages(pixels, rng.integers(0, classes, number))
    names, half = tuple(map(str, range(classes))), (0.5,) * shape[-1]
    crop_flip = "crop_and_flip" if settings.crop_flip == "auto" else settings.crop_flip
    return data.ImageData(images, images, names, shape, half, half, crop_flip), (train, held_out)


def _measure(group, name, settings, images, train, held_out) -> tuple[tuple[str, ...], float]:
    """Makes some steps of a stage, and evaluations; returns its row and its seconds."""
    group.set_stage(name)
    arguments = settings.arguments(data.train_batches)
    batches = strategies.distribute(
        group.distribute_strategy,
        lambda replicas: data.train_batches(images, **arguments, replicas=replicas),
    )
    per_execution = settings.steps_per_execution
    first, second = _train(group, batches, 2 * per_execution)
    executions = int(np.clip(SECONDS / second, FEWEST, MOST))
    step = np.median(_train(group, batches, executions * per_execution)) / per_execution
    batches = strategies.distribute(
        group.distribute_strategy, partial(data.held_out_batches, images, settings.batch_size)
    )
    number = min(math.ceil(len(images.held_out) / settings.batch_size), 4)
    first_evaluation, evaluation = (_evaluate(group, batches, number) for _ in range(2))
    compiling = max(first - second + first_evaluation - evaluation, 0.0)
    evaluation *= math.ceil(held_out / settings.batch_size) / number
    epochs = training.epochs_of(name, settings)
    steps = train // settings.batch_size * epochs
    evaluations = len(training.evaluation_epochs(epochs, settings))
    seconds = compiling + step * steps + evaluation * evaluations
    step, evaluation = f"{1000 * step:,.0f} ms", f"{evaluation:,.1f} s"
    numbers = (f"{compiling:.0f} s", step, f"{steps:,}", evaluation, f"{evaluations:,}")
    return (name, *numbers, duration(seconds)), seconds


def _train(group: NetworkGroup, batches: Any, steps: int) -> np.ndarray:
    """Returns the seconds of each execution of steps."""
    times = []

    def record(*_, **__):
        times.append(time.perf_counter())

    clock = keras.callbacks.LambdaCallback(on_train_begin=record, on_train_batch_end=record)
    group.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[clock], shuffle=False)
    return np.diff(times)


def _evaluate(group: NetworkGroup, batches: Any, number: int) -> float:
    """Returns the seconds of an evaluation of some mini-batches."""
    started = time.perf_counter()
    group.evaluate(batches, steps=number, verbose=0)
    return time.perf_counter() - started


def _totals(
    group: NetworkGroup, seconds: float, num_stages: int, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Yields what the whole run takes."""
    yield "training, with evaluations", duration(seconds)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    yield "memory at its peak", f"{peak / 1e9:.1f} GB"
    for gpu in tf.config.list_logical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info(gpu.name)["peak"]
        yield f"memory of {gpu.name} at its peak", f"{peak / 1e9:.1f} GB"
    state = [*group.variables, *(v for o in group.optimizers.values() for v in o.variables)]
    checkpoint = sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in state)
    disk = checkpoint * settings.max_checkpoints * num_stages
    yield "disk for checkpoints", f"{disk / 1e6:,.0f} MB"
    for name, network in group.members.items():
        yield f"parameters of {name}", f"{models.parameters(network):,}"
