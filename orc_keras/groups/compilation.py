"""Checks the arguments of a group's `compile`."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf

from orc_keras.arguments import Argument, Range
from orc_keras.groups.members import refuse_synchronized_batch_norm
from orc_keras.groups.optimizers import LEARNING_RATE

Factor = Annotated[
    float, Range(at_least=0, at_most=10**6)
]  # a learning rate as a multiple of another


def check_losses(losses_and_metrics: Mapping[str, Any]) -> None:
    """Refuses losses and metrics, Keras's arguments of `compile`, by name."""
    refused = [name for name, value in losses_and_metrics.items() if value is not None]
    if refused:
        raise ValueError(
            f"A group cannot be compiled with {', '.join(refused)}: its losses and metrics are "
            "those of the method."
        )


def check_factors(factors: Mapping[str, float], possible: list[str]) -> None:
    """Refuses learning rate factors of other members than `possible`, or out of their range."""
    for name, factor in factors.items():
        if name not in possible:
            raise ValueError(
                f"learning_rate_factors names {name!r}; possible are {', '.join(possible)}: *the* "
                "student has the optimizer's own."
            )
        Argument(f"learning_rate_factors[{name!r}]", Factor).check(factor)


def check_replicas(
    strategy: tf.distribute.Strategy,
    members: dict[str, keras.Model],
    optimizer: keras.optimizers.Optimizer,
    options: Mapping[str, int | bool],
) -> None:
    """Refuses what does not work on several replicas.

    Args:
        strategy: which has the replicas.
        members: by name.
        optimizer: of the group.
        options: `jit_compile` and `steps_per_execution`; Keras fails with more than one
            (keras-team/keras#19246).
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return
    for option, value in options.items():
        if value is True or value > 1:
            raise ValueError(f"{option}={value} works on one device, not on {replicas} replicas.")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.clipnorm or inner.global_clipnorm or inner.clipvalue:
        raise ValueError(
            f"Gradients can be clipped on one device, not on {replicas} replicas, where Keras "
            "would clip each replica's part of them."
        )
    refuse_synchronized_batch_norm(members)


def new_optimizer(
    identifier: keras.optimizers.Optimizer | str, current: keras.optimizers.Optimizer | None
) -> keras.optimizers.Optimizer:
    """Returns the optimizer for a group; refuses one that cannot train it.

    Args:
        identifier: a Keras optimizer or its name.
        current: the optimizer that the group is compiled with already.
    """
    if not isinstance(identifier, str | keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer must be a Keras optimizer or its name, not {type(identifier).__name__}."
        )
    optimizer = keras.optimizers.get(identifier)
    if optimizer.built and optimizer is not current:
        raise ValueError(
            f"The optimizer {optimizer.name} has trained another model; give a new one."
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    LEARNING_RATE.check(float(np.asarray(inner.learning_rate)))  # of a schedule, the first
    if getattr(inner, "use_ema", False):
        raise ValueError("An optimizer with use_ema=True cannot train a group; leave use_ema off.")
    return optimizer
