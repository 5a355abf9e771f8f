"""Compares methods on the same data, members and seeds: `orc-keras compare`."""

DETECTED = 0.3  # percentage points, for which the tables say how many seeds tell them from chance
