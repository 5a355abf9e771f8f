"""A fixed part of what benchmarks/fuzz.py does: some damages of every reader."""

import json
import os

import pytest
from helpers import smoke  # noqa: F401 (it makes benchmarks importable)

import fuzz  # isort: skip  (which smoke makes importable)
import fuzz_damages  # isort: skip
import fuzz_files  # isort: skip
import fuzz_readers  # isort: skip

DRAWN = [damage for damage in fuzz_damages.DAMAGES if damage not in ("missing", "link")]
SLOW = (fuzz_files.student, fuzz_files.records)  # to write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(number, name, marks=[pytest.mark.slow] * (reader.write in SLOW))
        for number, (name, reader) in enumerate(fuzz_readers.READERS.items())
    ],
)
def test_damages(folder, number, name):
    """The readers take turns with the damages, so that each damage meets some of them."""
    fuzzed, reader = fuzz.Fuzzed(name, folder), fuzz_readers.READERS[name]
    files = list(reader.files.items())
    for i in range(4):
        (file, form), damage = files[i % len(files)], DRAWN[(3 * number + i) % len(DRAWN)]
        case = fuzz_damages.Case(name, damage, file, 0)
        if damage not in reader.without and case.is_possible(form, 0):
            assert fuzzed.run(case)[0] == "", case


def faulty(monkeypatch, read):
    """Puts a reader of a JSON file among the others."""

    def write(folder, number):
        (folder / "a.json").write_text('{"a": 1}')

    reader = fuzz_readers.Reader(write, {"a.json": "json"}, lambda f: read(f / "a.json"))
    monkeypatch.setitem(fuzz.READERS, "faulty", reader)
    monkeypatch.setattr(fuzz, "WRITERS", [write])


@pytest.mark.parametrize(
    ("read", "damage", "problem"),
    [
        (lambda path: json.loads(path.read_text()), "cut", "JSONDecodeError"),  # names no file
        (lambda path: path.read_text()[:9], "negative", "the result differs"),
        (lambda path: json.loads(path.read_text())["a"], "absent", "KeyError"),
        (lambda path: path.exists() and path.read_bytes(), "fifo", "more than 1 seconds"),
    ],
)
def test_a_faulty_reader_fails(tmp_path, monkeypatch, read, damage, problem):
    faulty(monkeypatch, read)
    monkeypatch.setattr(fuzz, "SECONDS", 1)
    case = fuzz_damages.Case("faulty", damage, "a.json", 0)
    assert problem in fuzz.Fuzzed("faulty", tmp_path).run(case)[0]


def test_a_process_that_dies_is_a_failure_and_the_rest_is_run(tmp_path, monkeypatch):
    faulty(monkeypatch, lambda path: path.is_fifo() and os._exit(3))
    cases = [fuzz_damages.Case("faulty", kind, "a.json", 0) for kind in ("cut", "fifo", "empty")]
    found = list(fuzz.run_all({"faulty": cases}, tmp_path, 1))
    assert [case for case, *_ in found] == cases
    assert [problem for _, problem, _ in found] == ["", "the process ends with status 3", ""]
