"""Processes that begin with TensorFlow imported, several at once.

A clean process imports all that is needed (`warm.py`), computes nothing, and is forked for each
call, so that a call costs no import and leaves nothing behind.
"""

import concurrent.futures
import multiprocessing.forkserver
import os
import sys
from pathlib import Path

from attacks.case import BENCHMARKS, ROOT

for path in (BENCHMARKS, ROOT):
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))
_context = multiprocessing.get_context("forkserver")


def each(function, items, jobs=2, ended=None):
    """Calls a function for each item, each in a process of its own, `jobs` at once.

    Args:
        function: of a module; it and its results have to be picklable.
        items: a list.
        jobs: how many processes.
        ended: a function that is told each result as soon as it is there.

    Returns:
        The results, in order.

    Raises:
        RuntimeError: if a process ended without a result.
    """
    _start_server()

    def call(item):
        result = _in_process(function, item)
        if ended:
            ended(result)
        return result

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(call, items))


def _start_server():
    """Starts the process that is forked, unless it runs; it finds modules by its environment."""
    _context.set_forkserver_preload(["attacks.warm"])
    paths = {"PYTHONPATH": f"{BENCHMARKS}{os.pathsep}{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    before = dict(os.environ)
    os.environ.update(paths)
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _in_process(function, item):
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=_answer, args=(function, item, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        process.join()
        name = getattr(function, "__name__", function)
        raise RuntimeError(f"{name} of {item} ended with {process.exitcode}.") from None
    finally:
        process.join()
        ours.close()


def _answer(function, item, pipe):
    pipe.send(function(item))
    pipe.close()
    sys.stdout.flush()
    os._exit(0)  # what TensorFlow would do at the end is not needed


def work_directory():
    """Returns the folder of all that an attack leaves: runs made beforehand, and failed cases."""
    import tempfile

    path = Path(tempfile.gettempdir()) / f"orc-attack-{os.getuid()}"
    path.mkdir(exist_ok=True)
    return path
