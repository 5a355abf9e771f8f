"""Runs programs of this project, each in a fork of one process that has imported TensorFlow.

Its argument is a list of command lines in JSON, as behind `python`; it prints a list of exit code,
standard output and standard error of each.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import tempfile


def run(command):
    """Runs a program in a fork; returns exit code, standard output and standard error."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os._exit(become(command))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for file in (out, err):
            file.seek(0)
        return code, out.read(), err.read()


def become(command):
    """Does what Python does with a command line; returns the exit code."""
    is_module = command[0] == "-m"
    sys.argv = command[is_module:]
    try:
        if is_module:
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(command[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    with contextlib.redirect_stdout(io.StringIO()):
        from orc_keras import startup

        startup.import_tensorflow_quietly()
    print(json.dumps([run(command) for command in json.loads(sys.argv[1])]))
