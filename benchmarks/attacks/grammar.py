"""The kinds of wrong inputs, and how many of each are drawn."""

import dataclasses
import random

from attacks import (
    code_cases,
    compare_cases,
    data_cases,
    flag_cases,
    flagfile_cases,
    folder_cases,
    group_cases,
    library_cases,
    program_cases,
    right_cases,
    run_cases,
    runs,
)

# The modules with the cases of each kind, and their shares; what a small one lacks others have.
SHARES = {
    flag_cases: 20,
    flagfile_cases: 6,
    folder_cases: 14,
    run_cases: 18,
    program_cases: 12,
    compare_cases: 9,
    group_cases: 12,
    data_cases: 12,
    library_cases: 8,
    code_cases: 4,
}
KINDS = (*(module.KIND for module in SHARES), right_cases.KIND)
SLOW = ("export:", "classes ", "continue:")


def cases(seed, number):
    """Returns so many wrong inputs, all different, and some right ones behind them.

    They are the same for the same arguments.
    """
    pools = {module: _pool(module, seed) for module in SHARES}
    counts = dict.fromkeys(SHARES, 0)
    while sum(counts.values()) < number:
        open_ = [module for module in SHARES if counts[module] < len(pools[module])]
        if not open_:
            break
        counts[min(open_, key=lambda module: counts[module] / SHARES[module])] += 1
    drawn = [case for module, count in counts.items() for case in pools[module][:count]]
    drawn += _pool(right_cases, seed)
    return [dataclasses.replace(case, number=i) for i, case in enumerate(drawn)]


def sample():
    """Returns some thirty cases of all kinds, always the same, that take no run made beforehand."""
    chosen = []
    for module in SHARES:
        cheap = [case for case in _pool(module, seed=0) if not _needs_a_run(case)]
        chosen += cheap[:4]
    return [dataclasses.replace(case, number=i) for i, case in enumerate(chosen)]


def _pool(module, seed):
    """Returns the cases of a kind in the order in which they are drawn, each once."""
    rng = random.Random(f"{module.KIND} {seed}")
    pool = list(
        {(case.program, case.arguments, case.title): case for case in module.pool(rng)}.values()
    )
    rng.shuffle(pool)
    return pool


def _needs_a_run(case):
    return case.title.startswith(SLOW) or case.uses(runs.copy)
