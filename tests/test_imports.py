"""Modules import only what stands to their left in one order, between packages too."""

import ast

from helpers.programs import ROOT

ORDER = """
    startup models run_files formatting arguments flag_parsing files checksums distribution data
    groups networks callbacks recipe settings building runs training evaluate export benchmark
    report validation evaluate_and_export experiment import_torch estimate compare command_line
    commands __main__
"""
PLACES = {name: place for place, name in enumerate(ORDER.split())}


def name_of(path):
    """The module or package of ours, the first below `orc_keras`, that a file belongs to."""
    return path.relative_to(ROOT / "orc_keras").parts[0].removesuffix(".py")


def imports_of(path):
    """The modules and packages of ours that a file imports, inside its functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "orc_keras":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("orc_keras."):
            yield node.module.split(".")[1]


def test_imports_run_one_way():
    paths = [*ROOT.glob("orc_keras/*/**/*.py"), *ROOT.glob("orc_keras/[!_]*.py")]
    names = {name_of(path) for path in paths}
    assert names <= {*PLACES}, "say where they stand in the order"
    upwards = [
        f"{path.relative_to(ROOT)} imports {other}"
        for path in paths
        for other in imports_of(path)
        if PLACES[other] > PLACES[name_of(path)]
    ]
    assert not upwards


def test_models_import_nothing_of_ours_but_models():
    for path in (ROOT / "models").glob("*.py"):
        assert {*imports_of(path)} <= {"models"}, path
