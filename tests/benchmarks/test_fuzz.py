"""A fixed part of what benchmarks/fuzz.py does: three damages of every reader."""

import json

import pytest
from helpers import smoke  # noqa: F401 (it makes benchmarks importable)

import fuzz  # isort: skip  (which smoke makes importable)
import fuzz_damages  # isort: skip
import fuzz_readers  # isort: skip

DRAWN = [damage for damage in fuzz_damages.DAMAGES if damage not in ("missing", "link")]


@pytest.mark.parametrize(("number", "name"), list(enumerate(fuzz_readers.READERS)))
def test_damages(tmp_path, number, name):
    """The readers take turns with the damages, so that each damage meets some of them."""
    fuzzed = fuzz.Fuzzed(name, tmp_path)
    for damage in (DRAWN[(3 * number + i) % len(DRAWN)] for i in range(4)):
        if fuzzed.has_case(damage, 0):
            assert fuzzed.run(damage, 0)[0] == "", damage


@pytest.mark.parametrize(
    ("read", "damage", "problem"),
    [
        (lambda path: json.loads(path.read_text()), "cut", "JSONDecodeError"),  # names no file
        (lambda path: path.read_text()[:0], "negative", "the result differs"),
        (lambda path: json.loads(path.read_text())["a"], "absent", "KeyError"),
        (lambda path: path.read_bytes(), "fifo", "more than 1 seconds"),
    ],
)
def test_a_faulty_reader_fails(tmp_path, monkeypatch, read, damage, problem):
    def write(folder):
        (folder / "a.json").write_text('{"a": 1}')

    reader = fuzz_readers.Reader(write, "a.json", lambda f: read(f / "a.json"), "json")
    monkeypatch.setattr(fuzz, "SECONDS", 1)
    monkeypatch.setitem(fuzz.READERS, "faulty", reader)
    fuzzed = fuzz.Fuzzed("faulty", tmp_path)
    fuzzed.right = {"a": 1}
    assert problem in fuzzed.run(damage, 0)[0]
