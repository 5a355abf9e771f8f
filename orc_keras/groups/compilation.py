"""Checks the arguments of a group's `compile`."""

import keras

from orc_keras.arguments import RUN, Argument
from orc_keras.groups.members import check_synchronised

OPTIONS = {
    "run_eagerly": Argument(False),
    "steps_per_execution": Argument(1, at_least=1),
    "jit_compile": Argument(False),
    "auto_scale_loss": Argument(True),
    "label_smoothing": RUN["label_smoothing"],
}


def checked(group, others, options):
    """Returns the options of `compile` with defaults filled in, or raises ValueError.

    Args:
        group: a `NetworkGroup`.
        others: positional arguments after the optimizer; in Keras, the loss and so on.
        options: keyword arguments, by name.
    """
    given = [f"{other!r}" for other in others if other is not None]
    possible = (*OPTIONS, "learning_rate_factors")
    given += [n for n, value in options.items() if n not in possible and value is not None]
    if given:
        raise ValueError(
            f"A group cannot be compiled with {', '.join(given)}: its losses and metrics are those "
            f"of the method. It takes optimizer, {', '.join(possible)}."
        )
    factors = dict(options.pop("learning_rate_factors", None) or {})
    _check_factors(group, factors)
    options = {name: options.get(name, option.default) for name, option in OPTIONS.items()}
    for name, value in options.items():
        OPTIONS[name].check(name, value)
    replicas = group.distribute_strategy.num_replicas_in_sync
    if options["jit_compile"] and replicas > 1:
        raise ValueError(f"jit_compile works on one device, not on {replicas} replicas.")
    if replicas > 1:
        check_synchronised(group.members)
    return options | {"learning_rate_factors": factors}


def _check_factors(group, factors):
    possible = list(group.members)[:-1]
    for name, factor in factors.items():
        if name not in possible:
            raise ValueError(
                f"learning_rate_factors names {name!r}; possible are {', '.join(possible)}: *the* "
                "student has the optimizer's own."
            )
        RUN["pivot_learning_rate"].check(f"learning_rate_factors[{name!r}]", factor)


def _check_clipping(optimizer, replicas):
    """Refuses clipping on several replicas: Keras clips each one's gradients before their sum."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if replicas > 1 and (inner.clipnorm or inner.global_clipnorm or inner.clipvalue):
        raise ValueError(
            f"Gradients can be clipped on one device, not on {replicas} replicas, where Keras "
            "would clip each replica's part of them."
        )


def own_optimizer(group, given):
    """Returns an optimizer for this group alone, or raises ValueError.

    Args:
        group: a `NetworkGroup`; it may have been compiled with this optimizer before.
        given: a Keras optimizer or its name.
    """
    if not isinstance(given, str | keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer must be a Keras optimizer or its name, not {type(given).__name__}."
        )
    optimizer = keras.optimizers.get(given)
    if optimizer.built and optimizer is not getattr(group, "optimizer", None):
        raise ValueError(
            f"The optimizer {optimizer.name} has trained another model; give a new one."
        )
    if getattr(getattr(optimizer, "inner_optimizer", optimizer), "use_ema", False):
        raise ValueError("An optimizer with use_ema=True cannot train a group; leave use_ema off.")
    _check_clipping(optimizer, group.distribute_strategy.num_replicas_in_sync)
    return optimizer
