"""A sample of the wrong inputs of `benchmarks/attack.py`, and whether it would see a fault."""

import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import attack
from attacks import pictures
from attacks.case import Case, step


def test_a_sample_of_wrong_inputs():
    verdicts = attack.attack(attack.sample())
    assert len({verdict.case.kind for verdict in verdicts}) >= 8 and len(verdicts) >= 25
    failed = [attack.failure(verdict) for verdict in verdicts if verdict.problem]
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize(
    "snippet, problem",
    [
        ("pass", "accepted"),
        ("raise KeyError('a key')", "traceback"),
        ("raise ValueError('something else')", "unclear"),
        ("raise ValueError('culprit, and\\nanother line')", "unclear"),
        ("open('marker', 'w')", "code ran"),
        ("import os; os.remove('kept'); raise ValueError('culprit')", "lost"),
        ("import time; time.sleep(60)", "hang"),
        ("raise ValueError('the culprit')", ""),
    ],
)
def test_what_is_no_sentence_is_seen(snippet, problem):
    files = (step(pictures.write, "kept", b"here"),)
    case = Case("test", "a snippet", "library", (snippet,), ("culprit",), files, seconds=5)
    (verdict,) = attack.attack([case])
    assert verdict.problem == problem, verdict
