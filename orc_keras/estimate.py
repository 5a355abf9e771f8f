"""What a run will take on this machine: orc-keras train --flagfile=wrn40_2 --estimate"""

import dataclasses
import math
import resource
import sys
import time
from collections.abc import Iterator

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


@dataclasses.dataclass(frozen=True)
class StageEstimate:
    """What a stage takes; times in seconds.

    Attributes:
        name: of the stage.
        compiling: until the first step and evaluation, beyond their time.
        step: of a step, the median.
        steps: their number in the run.
        evaluation: of one on all held-out images.
        evaluations: their number in the run.
    """

    name: str
    compiling: float
    step: float
    steps: int
    evaluation: float
    evaluations: int

    def seconds(self) -> float:
        return self.compiling + self.step * self.steps + self.evaluation * self.evaluations

    def row(self) -> tuple[str, ...]:
        """Returns the row of the table below HEAD."""
        step, evaluation = f"{1000 * self.step:,.0f} ms", f"{self.evaluation:,.1f} s"
        numbers = (step, f"{self.steps:,}", evaluation, f"{self.evaluations:,}")
        return (self.name, f"{self.compiling:.0f} s", *numbers, duration(self.seconds()))


def estimate(settings: Settings) -> str:
    """Makes some steps of each stage, prints what the whole run will take, and returns that text.

    CIFAR's and ImageNet's images are random, so that they need not be there; what reading and
    decoding ImageNet's takes is not in the estimate. Nothing is written.

    Raises:
        ValueError: if the settings are impossible, or the images are needed and are not there.
    """
    validation.check_networks(settings)
    validation.check_pivot_weights(settings)
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
    print(f"On {devices.description(strategy, settings.batch_size)}.", flush=True)
    names = [s for s in group.stages if s != PIVOT or building.trains_pivot(settings)]
    stages = [_measure(group, name, settings, images, train, held_out) for name in names]
    text = (
        f"{aligned_table([HEAD, *(stage.row() for stage in stages)])}\n\n"
        f"{aligned_table(list(_totals(group, stages, settings)))}\n\n"
        "The final evaluation, exports and the report come on top."
    )
    print(f"\n{text}")
    return text


def _images(settings):
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


class _Clock(keras.callbacks.Callback):
    """Records when each execution of steps ends."""

    def on_train_begin(self, logs=None):
        self.times = [time.perf_counter()]

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def _measure(group, name, settings, images, train, held_out):
    """Makes some steps of a stage, and evaluations; returns `StageEstimate`."""
    group.set_stage(name)
    first, second = _train(group, settings, images, 2)
    executions = int(np.clip(SECONDS / second, FEWEST, MOST))
    step = np.median(_train(group, settings, images, executions)) / settings.steps_per_execution
    batches = min(math.ceil(len(images.held_out) / settings.batch_size), 4)
    first_evaluation, evaluation = (_evaluate(group, settings, images, batches) for _ in range(2))
    epochs = training.epochs_of(name, settings)
    return StageEstimate(
        name,
        compiling=max(first - second + first_evaluation - evaluation, 0.0),
        step=float(step),
        steps=train // settings.batch_size * epochs,
        evaluation=evaluation / batches * math.ceil(held_out / settings.batch_size),
        evaluations=len(training.evaluation_epochs(epochs, settings)),
    )


def _train(group, settings, images, executions):
    """Returns the seconds of some executions of steps."""
    clock, arguments = _Clock(), settings.arguments(data.train_batches)
    batches = strategies.distribute(
        group.distribute_strategy,
        lambda replicas: data.train_batches(images, **arguments, replicas=replicas),
    )
    steps = executions * settings.steps_per_execution
    group.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[clock], shuffle=False)
    return np.diff(clock.times)


def _evaluate(group, settings, images, batches):
    """Returns the seconds of an evaluation of some mini-batches."""
    held_out = strategies.distribute(
        group.distribute_strategy,
        lambda replicas: data.held_out_batches(images, settings.batch_size, replicas),
    )
    started = time.perf_counter()
    group.evaluate(held_out, steps=batches, verbose=0)
    return time.perf_counter() - started


def _totals(
    group: NetworkGroup, stages: list[StageEstimate], settings: Settings
) -> Iterator[tuple[str, str]]:
    """Yields what the whole run takes."""
    yield "training, with evaluations", duration(sum(stage.seconds() for stage in stages))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    yield "memory at its peak", f"{peak / 1e9:.1f} GB"
    for gpu in tf.config.list_logical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info(gpu.name)["peak"]
        yield f"memory of {gpu.name} at its peak", f"{peak / 1e9:.1f} GB"
    state = [*group.variables, *(v for o in group.optimizers.values() for v in o.variables)]
    checkpoint = sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in state)
    disk = checkpoint * settings.max_checkpoints * len(stages)
    yield "disk for checkpoints", f"{disk / 1e6:,.0f} MB"
    for name, network in group.members.items():
        yield f"parameters of {name}", f"{models.parameters(network):,}"
