"""The pages: every link leads somewhere, and every command has the flags that it is shown with."""

import importlib
import re

import pytest
from absl import flags
from helpers import smoke  # noqa: F401  (makes benchmarks importable)
from helpers.programs import ROOT

from orc_keras.__main__ import COMMANDS

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAM = re.compile(rf"orc-keras ({'|'.join(COMMANDS)})\b|train\.py|benchmarks/(\w+)\.py")
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


def anchors(page):
    """Returns the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for path, anchor in LINK.findall(text):
        if path.startswith("http"):
            continue
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), path + anchor
    for test in re.findall(r"`((?:\w+/)?test_\w+\.py)`", text):
        assert (ROOT / "tests" / test.removeprefix("tests/")).exists(), test


def modules_and_flags(text):
    """Yields the module of each command of ours in code for a shell, and the flags behind it."""
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if found := PROGRAM.search(line):
                command, benchmark = found.groups()
                name = (command or "train").replace("-", "_")
                flag_names = re.findall(r"(?<![\w-])--([a-z]\w*)", line[found.end() :])
                yield benchmark or f"orc_keras.commands.{name}", flag_names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_flags_of_commands(page):
    for module, names in modules_and_flags(page.read_text()):
        known = flags.FlagValues()
        importlib.import_module(module).define_flags(known)
        for name in names:
            assert {name, name.removeprefix("no")} & {*known, "flagfile", "help"}, (module, name)
