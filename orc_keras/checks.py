"""Arguments of groups, and what is wrong with them."""

import math
import numbers


def check(argument, given, is_possible, possible):
    """Raises ValueError, which says what is possible, unless `is_possible`."""
    if not is_possible:
        raise ValueError(f"{argument} must be {possible}, not {given}.")


def check_choice(argument, given, choices):
    """Raises ValueError unless `given` is one of `choices`."""
    check(argument, given, given in choices, f"one of {', '.join(choices)}")


def check_temperature(temperature):
    """Raises ValueError unless it can divide logits."""
    check("temperature", temperature, 0 < temperature < math.inf, "above 0")


def check_weight(distillation_weight):
    """Raises ValueError unless it is a weight of teachers against labels."""
    check("distillation_weight", distillation_weight, 0 <= distillation_weight <= 1, "0 to 1")


def check_warmup(distillation_warmup):
    """Raises ValueError unless it is a number of mini-batches."""
    is_number = is_whole(distillation_warmup) and distillation_warmup >= 0
    check("distillation_warmup", distillation_warmup, is_number, "a whole number, 0 or more")


def is_whole(number):
    """Returns whether it is an integer of Python or NumPy."""
    return isinstance(number, numbers.Integral)
