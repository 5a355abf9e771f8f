"""The programs that are killed, and none of which outlives the one that starts them."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("--output_dir=", "--flagfile=")  # one of these names the directory of a child


class Failure(Exception):
    """Something did not go on as it should have; the message says where to look."""


class Children:
    """Starts programs whose files lie in a directory; as a context, it kills them at its end.

    Args:
        directory: an absolute `Path`, which the arguments of every child name.
    """

    def __init__(self, directory):
        self._directory = directory
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._lock:  # after which no thread starts another
            self._closed = True
        kill_all(self._directory)

    def start(self, arguments, log, environment=None):
        """Starts Python with `arguments`, in the project; what it prints is added to `log`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered, because what is printed tells how far it has got.
        environment = os.environ | {"PYTHONUNBUFFERED": "1"} | (environment or {})
        with self._lock, open(log, "a") as output:
            if self._closed:
                raise Failure("Stopped.")
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for us, who then kill it
            )


def running(directory):
    """Returns the ids of the processes that were started for `directory` or what lies in it.

    Those too that a child has started: a comparison's runs have sessions of their own, and go on
    without it.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_text(errors="replace").split("\0")
        except OSError:  # it has ended
            continue
        begins = tuple(f"{flag}{directory}{end}" for flag in OURS for end in ("/", "\0"))
        if any(f"{argument}\0".startswith(begins) for argument in arguments):
            found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


def kill_all(directory):
    """Kills all processes that were started for `directory`, and waits until they are gone."""
    while pids := running(directory):
        for pid in pids:
            kill(pid)
        time.sleep(0.05)


def kill(pid):
    """Kills a process; returns whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def end_of(log, lines=15):
    """Returns the last lines of a log, and where it is."""
    text = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in text[-lines:])])
