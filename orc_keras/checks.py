"""Arguments of groups, and what is wrong with them: each check raises ValueError, in a sentence."""

import math
import numbers


def check(argument, given, is_possible, possible):
    """Raises ValueError, which says what is possible, unless `is_possible`."""
    if not is_possible:
        raise ValueError(f"{argument} must be {possible}, not {given!r}.")


def check_number(argument, given, is_possible, possible):
    """Raises ValueError unless `given` is a number for which the function `is_possible` is true."""
    check(argument, given, _is_a(numbers.Real, given) and is_possible(given), possible)


def check_whole(argument, given, is_possible, possible):
    """Raises ValueError unless `given` is an integer for which `is_possible` is true."""
    check(argument, given, _is_a(numbers.Integral, given) and is_possible(given), possible)


def check_choice(argument, given, choices):
    """Raises ValueError unless `given` is one of the texts `choices`."""
    is_choice = isinstance(given, str) and given in choices
    check(argument, given, is_choice, f"one of {', '.join(choices)}")


def check_choices(argument, given, choices):
    """Raises ValueError unless `given` is a list of some of the texts `choices`."""
    check(argument, given, isinstance(given, list | tuple), f"a list of {', '.join(choices)}")
    for each in given:
        check_choice(argument, each, choices)


def check_temperature(temperature):
    """Raises ValueError unless it can divide logits."""
    check_number("temperature", temperature, lambda t: 0 < t < math.inf, "above 0")


def check_weight(distillation_weight):
    """Raises ValueError unless it is a weight of teachers against labels."""
    in_range = "0 to 1"
    check_number("distillation_weight", distillation_weight, lambda w: 0 <= w <= 1, in_range)


def check_seed(seed):
    """Raises ValueError unless it can seed stateless random numbers."""
    fits = "a whole number of at most 64 bits"
    check_whole("seed", seed, lambda s: -(2**63) <= s < 2**63, fits)


def check_count(argument, given, smallest):
    """Raises ValueError unless it is a whole number, `smallest` or more, that a step can count."""
    possible = f"a whole number, {smallest} or more"
    check_whole(argument, given, lambda n: smallest <= n < 2**63, possible)


def _is_a(kind, given):
    return isinstance(given, kind) and not isinstance(given, bool)
