"""Differences between methods, paired by seed: intervals, chance, and how many seeds are needed."""

import bisect
import dataclasses

import numpy as np
from scipy import stats

LEVEL = 0.95  # of confidence intervals
POWER = 0.8  # the probability to tell a difference from chance, for `seeds_needed`
MOST_SEEDS = 10_000
EQUAL = 1e-9  # differences of accuracies that differ by less are the same


@dataclasses.dataclass(frozen=True)
class Difference:
    """The paired differences between the accuracies of two methods, by seed.

    Attributes:
        name, reference: the methods.
        values: accuracy of `name` minus that of `reference`, one for each seed that both have.

    Example:

    >>> orc_minus_kd = Difference("orc", "kd", [0.01, 0.02, 0.03])
    >>> orc_minus_kd.interval().round(3).tolist()
    [0.02, -0.005, 0.045]
    >>> round(orc_minus_kd.p(), 3), orc_minus_kd.seeds_needed(0.02)
    (0.074, 5)
    """

    name: str
    reference: str
    values: list

    def interval(self):
        """Returns the mean, and the ends of its 95 % confidence interval; see below."""
        return np.array(mean_and_interval(self.values))

    def p(self):
        """Returns the two-sided p-value of Student's paired t-test.

        NaN for a single pair, or if all differences are the same, but 1 if all are zero.
        """
        if not self._scatters():
            return 1.0 if len(self.values) > 1 and abs(self.values[0]) < EQUAL else np.nan
        return float(stats.ttest_1samp(self.values, 0).pvalue)

    def _scatters(self):
        return len(self.values) > 1 and np.ptp(self.values) > EQUAL

    def seeds_needed(self, difference):
        """Returns how many seeds tell a true difference from chance, in four of five attempts.

        That is by the paired t-test at the level of 5 %, if seeds scatter as these do: a rough
        number, for a handful of seeds says little of how much seeds scatter.

        Args:
            difference: in the unit of accuracy, above 0.

        Returns:
            At least 2; None if differences do not scatter, or if more than 10,000 are needed.
        """
        if not self._scatters():
            return None
        numbers, deviation = range(2, MOST_SEEDS + 1), np.std(self.values, ddof=1)
        found = bisect.bisect_left(
            numbers, True, key=lambda n: _power(n, difference, deviation) >= POWER
        )
        return numbers[found] if found < len(numbers) else None


def _power(number, difference, deviation):
    """Returns the probability that a two-sided t-test of so many values finds a difference."""
    if difference > 30 * deviation:  # where SciPy's tail is NaN
        return 1.0
    critical = stats.t.ppf((1 + LEVEL) / 2, number - 1)
    return stats.nct.sf(critical, number - 1, difference / deviation * np.sqrt(number))


def holm(p_values):
    """Returns p-values corrected for their number, by Holm's step-down method (1979).

    Where all are compared with 0.05, the chance of even one false finding is at most 5 %.

    Args:
        p_values: a list; NaNs do not count, and remain.

    Example:

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    corrected = [np.nan] * len(p_values)
    known = sorted((p, place) for place, p in enumerate(p_values) if not np.isnan(p))
    largest = 0.0
    for done, (p, place) in enumerate(known):
        largest = max(largest, min((len(known) - done) * p, 1.0))
        corrected[place] = largest
    return corrected


def mean_and_error(values):
    """Returns the mean and its standard error, NaN for a single value."""
    values = np.array(list(values))
    return float(values.mean()), float(stats.sem(values)) if len(values) > 1 else np.nan


def mean_and_interval(values):
    """Returns the mean and the ends of its 95 % interval (Student's t), NaN for a single value."""
    mean, error = mean_and_error(values)
    half = error * stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) if len(values) > 1 else np.nan
    return mean, float(mean - half), float(mean + half)
