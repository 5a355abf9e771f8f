"""Comparison of methods on the same data, members and seeds: `orc-keras compare`."""

EFFECT = 0.3  # percentage points; the tables say how many seeds make them significant
