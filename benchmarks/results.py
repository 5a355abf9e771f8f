"""The tables of a comparison from recorded runs: python benchmarks/results.py <runs.csv> ...

--minus names what the others are compared with, --names the methods and variants to show, as
shell patterns, such as --names='kd,orc*'. What is printed is corrected for the number of
differences in it. Seeds made in several comparisons belong together if several files are given.
"""

import fnmatch

import common

from orc_keras.compare import EFFECT, results, tables

from absl import flags  # isort: skip


ARGUMENTS = "at least one runs.csv of a comparison"


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_list("minus", ["kd", "alone"], "What the others are compared with.", **to)
    flags.DEFINE_list("names", ["*"], "Methods and variants to show, as shell patterns.", **to)
    flags.DEFINE_string("member", "", "Member that is compared; empty: the student.", **to)
    flags.DEFINE_float("detect", EFFECT, "Points, for the number of seeds.", 1e-3, **to)
    flags.DEFINE_bool("note", True, "Explain the columns.", **to)


def main(values, paths):
    figures = [each for path in paths for each in results.read(path)]
    keys = [(each.name, each.seed, each.member) for each in figures]
    if len(set(keys)) < len(keys):
        raise ValueError("the files hold a run twice.")
    names = dict.fromkeys(each.name for each in figures)
    for pattern in values.names:
        if not fnmatch.filter(names, pattern):
            raise ValueError(f"--names={pattern} is unknown; there are {', '.join(names)}.")
    shown = [each for each in figures if _is_shown(each.name, values)]
    if missing := set(values.minus) - {each.name for each in shown}:
        raise ValueError(f"--minus={missing.pop()} is unknown.")
    if values.member and values.member not in {each.member for each in shown}:
        raise ValueError(f"--member={values.member} is unknown.")
    ours = results.Results(shown, values.member)
    print(tables.markdown(ours, values.minus, values.detect, values.note), end="")


def _is_shown(name, values):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in (*values.names, *values.minus))


if __name__ == "__main__":
    common.start()
