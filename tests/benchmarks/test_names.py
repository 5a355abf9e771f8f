"""What benchmarks/ names has to exist: a wrong input with an old name is refused for that alone."""

import ast
import dataclasses
import inspect
import re

import pytest
from helpers import smoke

import attack  # isort: skip  (which smoke makes importable)
from attacks import compare_cases, flag_cases, group_cases, small  # isort: skip
from attacks.case import LIBRARY  # isort: skip

import orc_keras
from orc_keras import command_line
from orc_keras.compare import plan
from orc_keras.settings import Settings

FLAGS = {field.name for field in dataclasses.fields(Settings)}
MISSPELT = {"temperatur", "flagfile"}  # the second is one of all programs


def test_the_flags_of_wrong_combinations():
    named = [name for flags, _ in (*flag_cases.IMPOSSIBLE, *flag_cases.SAID) for name in flags]
    assert set(named) <= FLAGS


def test_the_flags_of_wrong_variants():
    named = re.findall(r"--(\w+)", " ".join(compare_cases.VARIANTS))
    assert set(named) - MISSPELT <= FLAGS


def test_the_arguments_of_groups():
    groups = [getattr(orc_keras, name) for name in group_cases.GROUPS]
    arguments = {name for group in groups for name in inspect.signature(group).parameters}
    assert set(group_cases.WRONG) == arguments - {"pivot", "students"}


def test_snippets_call_what_there_is():
    snippets = {c.arguments[0] for c in attack.cases(0, 10_000) if c.program == LIBRARY}
    dotted = {
        ast.unparse(node)
        for snippet in snippets
        for node in ast.walk(ast.parse(snippet))
        if isinstance(node, ast.Attribute) and re.fullmatch(r"[\w.]+", ast.unparse(node))
    }
    of_modules = [name for name in dotted if inspect.ismodule(vars(small).get(name.split(".")[0]))]
    missing = []
    for name in of_modules:
        thing = small
        for part in name.split("."):
            thing = getattr(thing, part, missing)
        if thing is missing:
            missing.append(name)
    assert len(of_modules) > 20 and not missing


@pytest.mark.parametrize("name", ["mnist", "mnist_ablations", "questions"])
def test_the_comparisons_of_the_results(name, monkeypatch, tmp_path):
    """The flagfiles of docs/results.md plan runs, if their images are there."""
    monkeypatch.chdir(smoke.ROOT)
    lines = (smoke.ROOT / "benchmarks" / f"{name}.flags").read_text().splitlines()
    variants = [line.partition("=")[2] for line in lines if line.startswith("--variant=")]
    base = [line for line in lines if not re.match("--(variant|methods|seeds)=|#", line)]
    settings = command_line.parsed(
        [*base, "--dataset=digits", "--image_size=14", "--batch_size=46"]
    )
    runs = plan.plan(settings, ["orc"], variants, [0, 1], tmp_path)
    assert len(runs) == 2 * len({"kd", "alone", "orc", *variants})
