"""The forked process of a case: it becomes a program of the project, or runs a snippet."""

import os
import resource
import runpy
import sys
import traceback

from attacks.case import LIBRARY, PROGRAMS, ROOT
from attacks.stops import ACCEPTED, STOPS

RAISED = "RAISED "  # a line of standard error, before the message
KERAS = "of Keras"  # in that line
MEMORY = 12 * 10**9  # bytes of addresses; more would endanger the machine


def become(program, arguments, stop, environment=()):
    """Runs a program as `python` would, up to the point `stop`; ends the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ.update(environment)
    try:
        if program == LIBRARY:
            _run_snippet(*arguments)
        else:
            STOPS[program, stop]()
            _run_program(program, arguments)
        code = 0
    except SystemExit as end:
        code = _code(end)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _code(end):
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
        return 1
    return end.code or 0


def _run_program(program, arguments):
    name = PROGRAMS[program]
    if program == "train":
        sys.argv = [str(ROOT / name), *arguments]
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        sys.argv = [str(ROOT / f"{name.replace('.', '/')}.py"), *arguments]
        sys.modules.pop(name, None)  # others import it too, which runpy would warn of
        runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_snippet(snippet):
    try:
        exec(compile(snippet, "<snippet>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        kind = type(error)
        clear = issubclass(kind, ValueError | TypeError | OSError)
        if not clear:
            traceback.print_exc()
        of_keras = "/keras/" in traceback.extract_tb(error.__traceback__)[-1].filename
        print(f"{RAISED}{kind.__name__} {KERAS * of_keras}\n{error}", file=sys.stderr)
        sys.exit(1)
    print(ACCEPTED)
