"""Damages files, and reads them: python benchmarks/fuzz.py

Every reader of the project reads a file that is right, and then the same file with one damage. A
case passes if the result is right all the same, or if the reader raises a ValueError or OSError
whose first line names the file. It fails with any other exception or result, if code in the file
has run, or after 4 seconds. A failure is printed with the flags that repeat it; the exit status is
then 1.
"""

import collections
import contextlib
import faulthandler
import io
import itertools
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
from fuzz_damages import DAMAGES, FIXED, apply, is_possible
from fuzz_readers import NO_FIFO, READERS

from orc_keras.formatting import markdown_table

SECONDS = 4  # that a reader may take
MEMORY = 6 * 2**30  # bytes that a reader may take; --memory_gb allows 4 of images


class Timeout(BaseException):
    """Not an Exception, so that no reader takes it for damage."""


def define_flags(values):
    to = {"flag_values": values}
    common.define_choice(values, "reader", READERS, "Readers to run.")
    common.define_choice(values, "damage", DAMAGES, "Damages to make.")
    flags.DEFINE_integer("seed", 0, "Of the first case of each reader and damage.", 0, **to)
    flags.DEFINE_integer("number", 10, "Cases of each reader and damage.", 1, **to)
    flags.DEFINE_boolean("verbose", False, "Print the message of every case.", **to)


def main(values, _=()):
    _limit_memory()
    warnings.simplefilter("ignore")  # NumPy's of impossible numbers
    cases, failures = collections.Counter(), collections.Counter()
    for name in values.reader:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            fuzzed = Fuzzed(name, Path(folder))
            seeds = range(values.seed, values.seed + values.number)
            for damage, seed in itertools.product(values.damage, seeds):
                if not fuzzed.has_case(damage, seed - values.seed):
                    continue
                cases[name, damage] += 1
                problem, message = fuzzed.run(damage, seed)
                failures[name, damage] += bool(problem)
                if problem or values.verbose:
                    flags_of_case = f"--reader={name} --damage={damage} --seed={seed} --number=1"
                    print(f"{flags_of_case}: {problem or message}", flush=True)
    for place, title in enumerate(("reader", "damage")):
        print(f"\n{table(title, place, cases, failures)}")
    print(f"\n{cases.total()} cases, {failures.total()} failed.")
    if failures.total():
        sys.exit(1)


class Fuzzed:
    """A reader, its right files, and what it reads from these.

    Args:
        name: a key of `READERS`.
        folder: an empty one, for all that is written.
    """

    def __init__(self, name, folder):
        self.name, self.reader, self.folder = name, READERS[name], folder
        (folder / "right").mkdir()
        self.reader.write(folder / "right")
        self.right = self._read(folder / "right")

    def has_case(self, damage, number):
        """Whether there is a case of this number; where nothing is drawn, there is only one."""
        if damage == "fifo" and self.name in NO_FIFO:
            return False
        is_fixed = damage in FIXED and isinstance(self.reader.file, str)
        return is_possible(damage, self.reader.form) and not (is_fixed and number)

    def run(self, damage, seed):
        """Runs a case; returns what is wrong, or an empty text, and the reader's message."""
        rng = random.Random(f"{self.name} {damage} {seed}")
        case, marker = self.folder / "case", self.folder / "marker"
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(self.folder / "right", case)
        file = self.reader.file
        file = file if isinstance(file, str) else rng.choice(file)
        other = self._other_file(rng) if damage == "swapped" else b""
        apply(damage, case / file, self.reader.form, rng, other, marker)
        problem, message = self._judge(case, Path(file).name)
        if marker.exists():
            marker.rmdir()
            problem = "code in the file has run"
        return problem, message

    def _judge(self, case, file):
        try:
            result = self._read(case)
        except (ValueError, OSError, SystemExit) as error:
            message = str(error)
            first_line = message.partition("\n")[0]  # what follows is another library's message
            culprits = (file, str(case), self.reader.culprit)
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

    def _read(self, folder):
        with contextlib.redirect_stdout(io.StringIO()), _time_limit(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.reader.read(folder)

    def _other_file(self, rng):
        """Returns the contents of another reader's file."""
        ours = {self.reader.write, self.reader.read}
        other = rng.choice([r for r in READERS.values() if ours.isdisjoint({r.write, r.read})])
        with tempfile.TemporaryDirectory() as folder:
            other.write(Path(folder))
            file = other.file if isinstance(other.file, str) else other.file[0]
            return Path(folder, file).read_bytes()


@contextlib.contextmanager
def _time_limit():
    def stop(*_):
        raise Timeout

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(5 * SECONDS, exit=True)  # where no signal is handled
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()


def _limit_memory():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def table(title, place, cases, failures):
    """Returns the number of cases and of failures by reader, or by damage."""
    rows = []
    for name in dict.fromkeys(key[place] for key in cases):
        counts = [sum(c[key] for key in c if key[place] == name) for c in (cases, failures)]
        rows.append([name, *map(str, counts)])
    return markdown_table([title, "cases", "failed"], rows)


if __name__ == "__main__":
    common.start()
