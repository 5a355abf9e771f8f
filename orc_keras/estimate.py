"""What a run will take on this machine: orc-keras train --flagfile=wrn40_2 --estimate"""

import dataclasses
import functools
import math
import resource
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from orc_keras import building, data, models, validation
from orc_keras.data.images import PixelImages
from orc_keras.distribution import devices, strategies
from orc_keras.formatting import aligned_table, duration
from orc_keras.groups.network_group import PIVOT
from orc_keras.training import stage as training

# Images that need not be there: shape, classes, training and held-out images.
KNOWN = {
    "cifar10": ((32, 32, 3), 10, 50_000, 10_000),
    "cifar100": ((32, 32, 3), 100, 50_000, 10_000),
    "imagenet2012": ((224, 224, 3), 1000, 1_281_167, 50_000),
}
SECONDS = 10  # that the steps of a stage are measured, at least FEWEST of them
FEWEST, MOST = 4, 50


@dataclasses.dataclass(frozen=True)
class Stage:
    """What a stage takes; times in seconds.

    Attributes:
        name: of the stage.
        learners: the names of the members that learn.
        compiling: until the first step was made, beyond a step's time.
        step: of a step, the median.
        steps: their number in the run.
        evaluation: of one on all held-out images.
        evaluations: their number in the run.
    """

    name: str
    learners: tuple
    compiling: float
    step: float
    steps: int
    evaluation: float
    evaluations: int

    def seconds(self):
        return self.compiling + self.step * self.steps + self.evaluation * self.evaluations


def prepare(settings):
    """Builds the group of a run, and checks its settings, as `experiment.prepare` does.

    CIFAR's and ImageNet's images are made up, so that they need not be there; what reading and
    decoding ImageNet's takes is not in the estimate.

    Args:
        settings: `Settings`.

    Returns:
        A function without arguments that makes some steps of each stage, prints what the whole run
        will take, and returns that text. It writes nothing.

    Raises:
        ValueError: if the settings are impossible, or the images are needed and are not there.
    """
    validation.check_networks(settings)
    validation.check_pivot_weights(settings)
    strategy = strategies.choose(settings.strategy)
    devices.check(settings.require_gpu)
    building.set_up_keras(settings)
    images, (train, held_out) = _images(settings)
    numbers = validation.num_training_images(settings, train), held_out
    validation.check_batches(settings, numbers[0], strategy.num_replicas_in_sync)
    with strategy.scope():
        group = building.build_group(
            settings, images.image_shape, images.num_classes, images.mean, images.std
        )
    return functools.partial(estimate, group, settings, images, numbers)


def estimate(group, settings, images, numbers):
    """Makes some steps of each stage; prints what the whole run will take, and returns the text.

    Args:
        group: a compiled `NetworkGroup`.
        settings: `Settings`.
        images: `ImageData`, perhaps fewer than there will be.
        numbers: of training and of held-out images in the run.
    """
    print(f"On {devices.description(group.distribute_strategy, settings.batch_size)}.", flush=True)
    stages = [s for s in group.stages if s != PIVOT or building.trains_pivot(settings)]
    measured = [_measure(group, name, settings, images, numbers) for name in stages]
    text = f"{_table(measured)}\n\n{_whole(group, measured, settings, images, numbers)}"
    print(f"\n{text}")
    return text


def _images(settings):
    """Returns `ImageData`, made up if possible, and the real numbers of images."""
    if settings.dataset not in KNOWN:
        real = data.load(**settings.arguments(data.load))
        return real, (len(real.train), len(real.held_out))
    shape, classes, train, held_out = KNOWN[settings.dataset]
    if settings.image_size:
        shape = (settings.image_size, settings.image_size, shape[-1])
    if fraction := settings.validation_fraction:
        held_out = math.ceil(train * fraction)
        train -= held_out
    number, rng = 4 * settings.batch_size, np.random.default_rng(0)
    pixels = rng.integers(0, 256, (number, *shape), np.uint8)
    made_up = PixelImages(pixels, rng.integers(0, classes, number))
    names = tuple(map(str, range(classes)))
    half = (0.5,) * shape[-1]
    how = settings.crop_flip
    how = "crop_and_flip" if how == "auto" else how
    images = data.ImageData(made_up, made_up, names, shape, half, half, how)
    return images, (train, held_out)


class _Clock(keras.callbacks.Callback):
    """Records when each execution of steps ends."""

    def on_train_begin(self, logs=None):
        self.times = [time.perf_counter()]

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def _measure(group, name, settings, images, numbers):
    """Makes some steps of a stage, and evaluations; returns `Stage`."""
    group.set_stage(name)
    first = _train(group, settings, images, 2)
    compiling, once = first[0] - first[1], first[1]
    executions = int(np.clip(SECONDS / once, FEWEST, MOST))
    step = np.median(_train(group, settings, images, executions)) / settings.steps_per_execution
    batches = math.ceil(len(images.held_out) / settings.batch_size)
    seconds = [_evaluate(group, settings, images, min(batches, 4)) for _ in range(2)]
    evaluation = seconds[1] / min(batches, 4) * math.ceil(numbers[1] / settings.batch_size)
    epochs = training.epochs_of(name, settings)
    steps = numbers[0] // settings.batch_size * epochs
    compiling += seconds[0] - seconds[1]
    return Stage(
        name, group.stages[name], max(compiling, 0.0), float(step), steps, evaluation,
        len(training.evaluated(epochs, settings)),
    )  # fmt: skip


def _train(group, settings, images, executions):
    """Returns the seconds of some executions of steps."""
    ends, arguments = _Clock(), settings.arguments(data.train_batches)
    batches = strategies.distribute(
        group.distribute_strategy,
        lambda replicas: data.train_batches(images, **arguments, replicas=replicas),
    )
    steps = executions * settings.steps_per_execution
    group.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[ends], shuffle=False)
    return np.diff(ends.times)


def _evaluate(group, settings, images, batches):
    """Returns the seconds of an evaluation of some mini-batches."""
    held_out = strategies.distribute(
        group.distribute_strategy,
        lambda replicas: data.held_out_batches(images, settings.batch_size, replicas),
    )
    begun = time.perf_counter()
    group.evaluate(held_out, steps=batches, verbose=0)
    return time.perf_counter() - begun


def _table(stages):
    head = ("stage", "compiling", "a step", "steps", "an evaluation", "evaluations", "time")
    rows = [
        (s.name, f"{s.compiling:.0f} s", f"{1000 * s.step:,.0f} ms", f"{s.steps:,}",
         f"{s.evaluation:,.1f} s", f"{s.evaluations:,}", duration(s.seconds()))
        for s in stages
    ]  # fmt: skip
    return aligned_table([head, *rows])


def _whole(group, stages, settings, images, numbers):
    """Returns the lines below the table: what the whole run takes."""
    members = {name: models.parameters(network) for name, network in group.members.items()}
    state = [*group.variables, *(v for o in group.optimizers.values() for v in o.variables)]
    save = sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in state)
    unread = (sum(numbers) - len(images.train)) * math.prod(images.image_shape)
    unread = unread if settings.dataset in KNOWN and unread <= settings.memory_gb * 1e9 else 0
    scale = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale + unread
    lines = [
        ("training, with evaluations", duration(sum(s.seconds() for s in stages))),
        ("memory at its peak", f"{peak / 1e9:.1f} GB"),
        *_of_gpus(),
        ("disk for saves", f"{save * settings.max_checkpoints * len(stages) / 1e6:,.0f} MB"),
        *((f"parameters of {name}", f"{number:,}") for name, number in members.items()),
    ]
    return f"{aligned_table(lines)}\n\nThe final evaluation, exports and the report come on top."


def _of_gpus():
    for gpu in tf.config.list_logical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info(gpu.name)["peak"]
        yield f"memory of {gpu.name} at its peak", f"{peak / 1e9:.1f} GB"
