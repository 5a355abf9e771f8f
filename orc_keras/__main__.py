"""Trains groups of networks, and compares, evaluates and exports them: orc-keras <command>"""

import importlib
import sys
from types import ModuleType

from orc_keras import command_line

COMMANDS = (
    *("train", "compare", "evaluate", "predict", "export", "benchmark"),
    *("report", "networks", "import-torch"),
)


def main() -> None:
    """Runs the command that is named first on the command line."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        with command_line.errors_as_sentences("orc-keras"):
            print_help()
    elif name in COMMANDS:
        command_line.run(module_of(name), arguments, f"orc-keras {name}")
    else:
        sys.exit(f"orc-keras: {name!r} is not a command; possible are {', '.join(COMMANDS)}.")


def print_help() -> None:
    """Prints the list of commands."""
    print(f"{__doc__}\n")
    for each in COMMANDS:
        summary, *_ = str(module_of(each).__doc__).splitlines()
        print(f"  {each:<14}{summary}")
    print("\norc-keras <command> --help says more.")


def module_of(name: str) -> ModuleType:
    """Returns the module of a command."""
    return importlib.import_module(f"orc_keras.commands.{name.replace('-', '_')}")


if __name__ == "__main__":
    main()
