"""Damages files, and reads them: python benchmarks/fuzz.py

Every reader of the project reads files that are right, and then the same files with a damage to one
of them, or with two damages. A case passes if the result is right all the same, or if the reader
raises a ValueError or OSError whose first line names the file. It fails with any other exception or
result, if code in the file has run, after 10 seconds, or if the process dies. A failure is printed
with the flag that repeats it; the exit status is then 1.

Each reader has a process of its own, `--jobs` of them at once.
"""

import collections
import contextlib
import faulthandler
import fcntl
import io
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import common
from absl import flags
from fuzz_damages import DAMAGES, Case, apply
from fuzz_readers import READERS

from orc_keras.formatting import markdown_table

SECONDS = 10  # that a reader may take
MEMORY = 6 * 2**30  # bytes that a reader may take; --memory_gb allows 4 of images
WRITERS = list(dict.fromkeys(reader.write for reader in READERS.values()))


class Timeout(BaseException):
    """Not an Exception, so that no reader takes it for damage."""


def define_flags(values):
    to = {"flag_values": values}
    common.define_choice(values, "reader", READERS, "Readers to run.")
    common.define_choice(values, "damage", DAMAGES, "Damages to make.")
    flags.DEFINE_string("case", "", "A single case, in place of these, as it is printed.", **to)
    flags.DEFINE_integer("seed", 0, "Of the first case of each damage of a file.", 0, **to)
    flags.DEFINE_integer("number", 10, "Cases of each damage of a file, if it is drawn.", 1, **to)
    flags.DEFINE_integer("jobs", len(os.sched_getaffinity(0)), "Processes at once.", 1, **to)
    flags.DEFINE_boolean("verbose", False, "Print the message of every case.", **to)


def main(values, _=()):
    numbers, failures = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for case, problem, message in run_all(cases_of(values), Path(folder), values.jobs):
            numbers[case.reader, case.damage] += 1
            failures[case.reader, case.damage] += bool(problem)
            if problem or values.verbose:
                print(f"--case={case}: {problem or message}", flush=True)
    for place, title in enumerate(("reader", "damage")):
        print(f"\n{table(title, place, numbers, failures)}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    print(f"\n{numbers.total()} cases, {failures.total()} failed; {seconds:.0f} s of processors.")
    if failures.total():
        sys.exit(1)


def cases_of(values):
    """Returns the cases that the flags ask for, by reader."""
    if values.case:
        reader, damage, file, seed = values.case.split(":")
        return {reader: [Case(reader, damage, file, int(seed))]}
    cases = {}
    for name in values.reader:
        for damage in values.damage:
            for file, form in READERS[name].files.items():
                number = max(1, int(values.number * READERS[name].share))
                seeds = range(values.seed, values.seed + number)
                drawn = [Case(name, damage, file, seed) for seed in seeds]
                drawn = [case for case in drawn if case.is_possible(form, case.seed - values.seed)]
                cases.setdefault(name, []).extend(drawn * (damage not in READERS[name].without))
    return cases


def run_all(cases, folder, jobs):
    """Yields each case, what is wrong with it or an empty text, and the reader's message.

    Args:
        cases: lists of them by reader.
        folder: an empty one, for all that is written.
        jobs: processes at once.
    """
    todo, running = sorted(cases.items(), key=lambda item: -len(item[1])), {}
    while todo or running:
        while todo and len(running) < jobs:
            name, theirs = todo.pop(0)
            log = open(folder / f"{name}.log", "w+")  # noqa: SIM115
            running[os.fork() or _process(name, theirs, folder, log)] = name, theirs, log
        child, status = os.wait()
        name, theirs, log = running.pop(child)
        with log:
            log.seek(0)
            results = list(map(json.loads, log))
        if not results:
            sys.exit(f"{name} does not read the right files.")
        yield from ((case, *result) for case, result in zip(theirs, results[1:]))
        if rest := theirs[len(results) - 1 :]:
            yield rest[0], f"the process ends with status {os.waitstatus_to_exitcode(status)}", ""
            todo.insert(0, (name, rest[1:]))


def _process(name, cases, folder, log):
    """Runs the cases of a reader in this process, which then ends."""
    status = 1
    try:
        _limit_memory()
        warnings.simplefilter("ignore")  # NumPy's of impossible numbers
        fuzzed = Fuzzed(name, folder)
        for result in itertools.chain(["ready"], map(fuzzed.run, cases)):
            print(json.dumps(result), file=log, flush=True)
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)  # threads of TensorFlow may keep Python from ending


class Fuzzed:
    """A reader, its right files, and what it reads from these.

    Args:
        name: a key of `READERS`.
        folder: of all that is written, also by other readers.
    """

    def __init__(self, name, folder):
        self.name, self.reader, self.folder = name, READERS[name], folder
        self.own = folder / name
        self.own.mkdir(exist_ok=True)
        self.right = self._read(self._copy(), 6 * SECONDS)  # much is done once

    def run(self, case):
        """Runs a case; returns what is wrong, or an empty text, and the reader's message."""
        rng, folder, marker = random.Random(str(case)), self._copy(), self.own / "marker"
        with contextlib.chdir(folder):
            damaged = apply(case, folder, self.reader.files, rng, self._other_file, marker)
        problem, message = self._judge(folder, damaged)
        if marker.exists():
            marker.rmdir()
            problem = "code in the file has run"
        return problem, message

    def _copy(self):
        shutil.rmtree(self.own / "case", ignore_errors=True)
        return shutil.copytree(written(self.folder, self.reader.write), self.own / "case")

    def _judge(self, folder, damaged):
        try:
            result = self._read(folder)
        except (ValueError, OSError, SystemExit) as error:
            message = str(error)
            first_line = message.partition("\n")[0]  # what follows is another library's message
            culprits = (*damaged, str(folder), self.reader.culprit)
            is_named = any(culprit is not None and culprit in first_line for culprit in culprits)
            return "" if is_named else f"{type(error).__name__}: {message[:300]}", message
        except Timeout:
            return f"it takes more than {SECONDS} seconds", ""
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename}:{where.lineno}"
            return f"{type(error).__name__}: {str(error)[:200]} ({place})", ""
        try:
            is_right, why = self.reader.accepts(result, self.right), ""
        except Exception as error:
            is_right, why = False, f": {' '.join(str(error).split())[:200]}"
        return "" if is_right else f"the result differs{why}", "accepted"

    def _read(self, folder, seconds=None):
        printed = contextlib.redirect_stdout(io.StringIO())
        with printed, contextlib.chdir(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _time_limit(seconds or SECONDS):
                return self.reader.read(folder)

    def _other_file(self, file, rng):
        """Returns a right file: `file` as it is elsewhere, or, if empty, another reader's."""
        if file:
            return (written(self.folder, self.reader.write, 1) / file).read_bytes()
        others = [each for each in READERS.values() if each.write is not self.reader.write]
        other = rng.choice(others)
        return (written(self.folder, other.write) / rng.choice(list(other.files))).read_bytes()


def written(folder, write, number=0):
    """Returns the folder of the right files that a function has written, in whatever process."""
    path = folder / f"right-{WRITERS.index(write)}-{number}"
    with open(folder / f"{path.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            unfinished.mkdir()
            with contextlib.redirect_stdout(io.StringIO()):
                write(unfinished, number)
            unfinished.rename(path)
    return path


@contextlib.contextmanager
def _time_limit(seconds):
    def stop(*_):
        raise Timeout

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(2 * seconds, exit=True)  # where no signal is handled
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()


def _limit_memory():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def table(title, place, numbers, failures):
    """Returns the number of cases and of failures by reader, or by damage."""
    rows = []
    for name in dict.fromkeys(key[place] for key in numbers):
        counts = [sum(c[key] for key in c if key[place] == name) for c in (numbers, failures)]
        rows.append([name, *map(str, counts)])
    return markdown_table([title, "cases", "failed"], rows)


if __name__ == "__main__":
    common.start()
