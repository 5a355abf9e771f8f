"""Paired differences between methods: p-values, intervals, and how many seeds are needed."""

import bisect
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95  # of confidence intervals
POWER = 0.8  # the probability of a significant result, for `seeds_needed`
MAX_SEEDS = 10_000
FEWEST_SEEDS = 3  # for a test or an interval: that of two is 13 standard errors wide on either side
TOLERANCE = 1e-9  # differences of accuracies that differ by less are the same
Values = Sequence[float] | np.ndarray


def p_value(differences: Sequence[float]) -> float:
    """Returns the two-sided p-value of Student's paired t-test, from the difference for each seed.

    NaN for one or two, or if all are the same, but 1 if all are zero.

    Examples:
        >>> round(p_value([0.01, 0.02, 0.03]), 3)
        0.074
    """
    if _varies(differences):
        test: Any = stats.ttest_1samp(differences, 0)
        return float(test.pvalue)
    return 1.0 if len(differences) >= FEWEST_SEEDS and abs(differences[0]) < TOLERANCE else np.nan


def seeds_needed(differences: Sequence[float], effect: float) -> int | None:
    """Returns how many seeds make a true difference `effect` significant, with a power of 80 %.

    That is in the paired t-test at the level of 5 %, if seeds scatter as these do. From a few
    seeds the number is rough. None of one or two, if they do not scatter, or if more than 10,000
    are needed.

    Examples:
        >>> seeds_needed([0.01, 0.02, 0.03], 0.02)
        5
    """
    if not _varies(differences):
        return None
    deviations = effect / np.std(differences, ddof=1)

    def power(number: int) -> float:
        critical = stats.t.ppf((1 + LEVEL) / 2, number - 1)
        return float(stats.nct.sf(critical, number - 1, deviations * np.sqrt(number)))

    numbers = range(2, MAX_SEEDS + 1)
    first = bisect.bisect_left(numbers, POWER, key=power)
    return numbers[first] if first < len(numbers) else None


def _varies(differences: Sequence[float]) -> bool:
    return len(differences) >= FEWEST_SEEDS and bool(np.ptp(differences) > TOLERANCE)


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values corrected for their number, by Holm's step-down method (1979).

    Where all are compared with 0.05, the chance of even one false finding is at most 5 %. NaNs do
    not count, and remain.

    Examples:
        >>> holm([0.04, 0.01, 0.03])
        [0.06, 0.03, 0.06]
    """
    p = np.array(p_values, float)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaNs are sorted to the end
    factors = np.arange(len(order), 0, -1)
    p[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1)
    return p.tolist()


def mean_and_error(values: Values) -> tuple[float, float]:
    """Returns the mean and its standard error, NaN for a single value."""
    return float(np.mean(values)), float(stats.sem(values)) if len(values) > 1 else np.nan


def mean_and_interval(values: Values) -> tuple[float, float, float]:
    """Returns the mean and the ends of its 95 % interval (Student's t), NaN for one or two values.

    Examples:
        >>> mean_and_interval([0.25, 0.75])
        (0.5, nan, nan)
    """
    mean, error = mean_and_error(values)
    if len(values) < FEWEST_SEEDS:
        return mean, np.nan, np.nan
    half = error * stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    return mean, float(mean - half), float(mean + half)
