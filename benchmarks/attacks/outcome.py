"""What a program did in a process of its own, and what it left in its folder."""

import dataclasses
import fnmatch
import hashlib
import os
import signal
import stat
import time
from pathlib import Path

from attacks import programs

HANGS = -1000  # in place of an exit code


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a program.

    Attributes:
        code: its exit code, negative for a signal; `HANGS` if it took too long.
        out: what it printed.
        err: what it printed to standard error.
        seconds: how long it took.
    """

    code: int
    out: str
    err: str
    seconds: float


def run(case, place, logs):
    """Runs the program of a case in a fork of this process, in the folder `place`.

    Args:
        case: a `Case`.
        place: its folder.
        logs: path of the files of its output, without their ending.

    Returns:
        The `Outcome`.
    """
    started = time.monotonic()
    child = os.fork()
    if not child:
        _redirect(place, logs)
        programs.become(case.program, case.arguments, case.stop, case.environment)
    code = _wait(child, started + case.seconds)
    seconds = time.monotonic() - started
    out, err = (Path(f"{logs}.{end}").read_text(errors="replace") for end in ("out", "err"))
    return Outcome(code, out, err, seconds)


def _redirect(place, logs):
    os.setsid()
    os.chdir(place)
    for descriptor, end in ((1, "out"), (2, "err")):
        file = os.open(f"{logs}.{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def _wait(child, end):
    """Returns the exit code of a child; kills it and what it has started at `end`."""
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HANGS


def files_in(place):
    """Returns what is in a folder: a text that changes with the contents, by relative path."""
    found = {}
    for directory, folders, names in os.walk(place):
        links = [name for name in folders if os.path.islink(os.path.join(directory, name))]
        for name in (*names, *links):
            path = os.path.join(directory, name)
            found[os.path.relpath(path, place)] = _contents(path)
    return found


def _contents(path):
    kind = os.lstat(path).st_mode
    if stat.S_ISLNK(kind):
        return os.readlink(path)
    if not stat.S_ISREG(kind):
        return "special"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lost(before, after, changes):
    """Returns the paths of files that are gone or others, apart from `changes`."""
    return [
        path
        for path, contents in before.items()
        if after.get(path) != contents and not any(fnmatch.fnmatch(path, c) for c in changes)
    ]
