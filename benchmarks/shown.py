"""What a page shows of these programs: the command, and below it what it prints.

A page has `[[[cog shown.command("python benchmarks/...") ]]]` in a comment, and is written anew by

    cog -I benchmarks -P -r -p "import shown" README.md docs/results.md docs/results/appendix.md
"""

import importlib
import shlex
from pathlib import Path

import common  # noqa: F401  (finds the project)
from absl import flags

from orc_keras import command_line


def command(text: str):
    """Prints a command of this folder as code, and then what it prints."""
    print(f"```bash\n{text}\n```\n")
    output(text)


def output(text: str):
    """Prints what a command of this folder prints."""
    _, path, *arguments = shlex.split(text.replace("\\\n", " "))
    program = importlib.import_module(Path(path).stem)
    values = flags.FlagValues()
    program.define_flags(values)
    program.main(values, command_line.parse(program, values, arguments, path))
    print()  # a table ends at a blank line
