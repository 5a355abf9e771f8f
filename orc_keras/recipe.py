"""The recipe by which members learn: optimizer, learning rate by epoch, weights of classes."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal

import keras
import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from orc_keras.arguments import Range, WholeOrFraction
from orc_keras.data import ImageData
from orc_keras.groups.compilation import Factor
from orc_keras.groups.optimizers import L2SGD


def make_optimizer(
    optimizer: Literal["sgd", "adamw"] = "sgd",
    learning_rate: Annotated[float, Range(above=0, at_most=10**6)] = 0.05,
    momentum: Annotated[float, Range(at_least=0, at_most=1)] = 0.9,
    weight_decay: Annotated[float, Range(at_least=0)] = 5e-4,
    clip_norm: Annotated[float, Range(at_least=0)] = 0.0,
) -> keras.optimizers.Optimizer:
    """Returns a new optimizer.

    Args:
        optimizer: sgd, with momentum; or adamw, whose --learning_rate should be smaller, such as
            0.001.
        learning_rate: Learning rate of every member at the start.
        momentum: Momentum of SGD.
        weight_decay: L2 weight decay: this times each weight is added to its gradient. For adamw
            the decoupled one: this times the learning rate is taken off each weight.
        clip_norm: Largest norm of a member's gradients, all of them together; larger ones are
            scaled down. 0: none are. On one device only.
    """
    clip = clip_norm or None
    if optimizer == "adamw":
        return keras.optimizers.AdamW(
            learning_rate, weight_decay=weight_decay, global_clipnorm=clip
        )
    return L2SGD(learning_rate, momentum, l2=weight_decay, global_clipnorm=clip)


def learning_rate_multiplier(
    schedule: Literal["step", "cosine"] = "step",
    decay_epochs: tuple[Annotated[int | float, WholeOrFraction()], ...] = (5 / 8, 6 / 8, 7 / 8),
    decay_factor: Annotated[float, Range(above=0)] = 0.1,
    warmup_epochs: Annotated[int, Range(at_least=0)] = 0,
    *,
    epochs: int,
) -> Callable[[int], float]:
    """Returns what the learning rate is multiplied by in an epoch of a stage, counted from 0.

    Args:
        schedule: How the learning rate falls: step, at --decay_epochs; cosine, to 0 at the end of
            each stage, along half a cosine.
        decay_epochs: Epochs after which the learning rate decays, counted from the start of each
            stage; those below 1 are fractions of the stage's epochs, rounded. The default is the
            paper's 150, 180 and 210 of 240; empty: it does not decay.
        decay_factor: What the learning rate is multiplied by at each decay.
        warmup_epochs: Epochs at the start of each stage in which the learning rate rises linearly.
        epochs: of the stage.
    """

    def factor(epoch: int) -> float:
        if epoch < warmup_epochs:
            return (epoch + 1) / (warmup_epochs + 1)
        if schedule == "cosine":
            progress = (epoch - warmup_epochs) / (epochs - warmup_epochs)
            return (1 + math.cos(math.pi * progress)) / 2
        return decay_factor ** sum(epoch >= decay for decay in decays)

    decays = whole_epochs(decay_epochs, epochs)
    return factor


def whole_epochs(decay_epochs: Iterable[float], epochs: int) -> tuple[int, ...]:
    """Returns the epochs of a stage after which the learning rate decays, as whole numbers.

    Args:
        decay_epochs: as in `learning_rate_multiplier`.
        epochs: of the stage; of fractions of it that round to the same epoch, one counts.

    Examples:
        >>> whole_epochs((5 / 8, 6 / 8, 7 / 8), 240), whole_epochs((5 / 8, 6 / 8, 7 / 8), 4)
        ((150, 180, 210), (2, 3))
    """
    whole = [int(epoch) for epoch in decay_epochs if epoch >= 1]
    fractions = [fraction * epochs for fraction in decay_epochs if fraction < 1]
    rounded = [max(1, math.ceil(epoch - 0.5)) for epoch in fractions]  # halves down
    return (*whole, *dict.fromkeys(rounded))


def learning_rate_factors(
    student_learning_rates: tuple[Factor, ...] = (), *, names: Sequence[str]
) -> dict[str, float]:
    """Returns the learning rates of students as multiples of *the* student's.

    Args:
        student_learning_rates: Learning rates of the students in order, as multiples of
            --learning_rate, such as 0.1,1 where the first is pretrained; empty: 1 for all. The
            last, *the* student's, must be 1.
        names: of the students.
    """
    return dict(zip(names, student_learning_rates[:-1]))


def class_weights(
    class_weight: Literal["none", "balanced"] = "none", *, images: ImageData
) -> np.ndarray | None:
    """Returns the weight of each class, float32 `[C]`; None if all are the same.

    Args:
        class_weight: balanced: training images count inversely to the number of their class, so
            that rare classes matter as much as others.
        images: a class without training images has the weight 0.

    Raises:
        ValueError: if the labels are not known before the images are read.
    """
    if class_weight == "none":
        return None
    if images.train.labels is None:
        raise ValueError(
            f"--class_weight={class_weight} needs labels that are known before images are read; "
            "those of this dataset are not."
        )
    labels = np.asarray(images.train.labels)
    classes, weights = np.unique(labels), np.zeros(images.num_classes, np.float32)
    weights[classes] = compute_class_weight("balanced", classes=classes, y=labels)
    return weights
