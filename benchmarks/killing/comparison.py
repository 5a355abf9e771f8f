"""A comparison that is killed again and again, or one of its runs, or all of it."""

import collections
import random
import signal
import subprocess
import time

from killing import equality
from killing.children import Failure, end_of, kill, kill_all, running

FLAGS = (
    *("-m", "orc_keras.compare", "--flagfile=configs/digits.flags", "--deterministic"),
    *("--save_every=7 steps", "--pivot=resnet8", "--students=resnet8,resnet8", "--jobs=2"),
    *("--pivot_epochs=1", "--epochs=2", "--methods=orc", "--seeds=0,1"),
)
# A process can be killed alone, as by a system without memory, or all of them with their machine.
VICTIMS = ("the comparison", "a run", "all of it")
PATIENCE = 1800  # seconds that a comparison may take
AT_ONCE = 6  # kills of one comparison


def kill_comparisons(children, directory, arguments, kills, seed):
    """Kills comparisons at random moments, starts them again, and compares what they end with.

    Args:
        children: `Children`.
        directory: where they are to lie.
        arguments: of the comparison, besides those here.
        kills: how many in all.
        seed: of the moments.

    Returns:
        Sentences that say what went wrong or is not equal; and a `Counter` of the kills.
    """
    rng, counts, found, number = random.Random(seed), collections.Counter(), [], 0
    with children:
        whole = _Comparison(children, directory / "whole", arguments)
        began = time.monotonic()
        whole.start()
        whole.end()
        seconds = time.monotonic() - began
        print(f"A comparison that is not killed takes {seconds:.0f} s.", flush=True)
        while counts.total() < kills:
            number += 1
            killed = _Comparison(children, directory / f"comparison{number}", arguments)
            most = min(AT_ONCE, kills - counts.total())
            counts += _kill_one(killed, most, seconds, rng)
            found += killed.complaints + _compare(whole.directory, killed.directory)
    return found, counts


def _kill_one(comparison, kills, seconds, rng):
    """Kills a comparison up to so many times, then lets it end; returns a `Counter` of victims."""
    counts = collections.Counter()
    comparison.start()
    while counts.total() < kills:
        # The first are early, when it has yet to start; later ones find less left to do.
        comparison.wait(rng.uniform(0, 0.4 * seconds))
        if comparison.has_ended() and comparison.end():
            break
        victim = VICTIMS[counts.total() % len(VICTIMS)]
        if comparison.kill(victim, rng):
            counts[victim] += 1
            print(f"  killed {victim}, {_state(comparison.directory)}", flush=True)
    while not comparison.end():
        pass
    return counts


class _Comparison:
    """A comparison that is started as often as it takes.

    Attributes:
        directory: of the comparison.
        complaints: sentences that say when it ended badly though none of its runs had been killed.
    """

    def __init__(self, children, directory, arguments):
        self.directory, self.complaints = directory, []
        self._children, self._arguments = children, arguments
        self._log = directory.with_name(f"{directory.name}.log")

    def start(self):
        arguments = [*FLAGS, *self._arguments, f"--output_dir={self.directory}"]
        self._printed_before = self._log.stat().st_size if self._log.exists() else 0
        self._process = self._children.start(arguments, self._log)
        self._run_was_killed = False

    def wait(self, seconds):
        """Waits so many seconds, or until it has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def has_ended(self):
        return self._process.poll() is not None

    def end(self):
        """Waits for its end; returns whether all is made. If not, it has been started again."""
        if not self.wait(PATIENCE):
            raise Failure(f"The comparison came to no end.\n{end_of(self._log)}")
        if self._process.returncode == 0:
            return True
        if not self._run_was_killed:  # otherwise it is to say that a run failed
            self._complain()
        self.start()
        return False

    def kill(self, victim, rng):
        """Kills the comparison, a run, or all; returns whether there was one to be killed."""
        if victim == "a run":
            killed = self._kill_run(rng)
            self._run_was_killed |= killed
            return killed
        self._process.kill()
        if self._process.wait() != -signal.SIGKILL:  # it had ended
            return False
        if victim == "all of it":
            kill_all(self.directory)
        self.start()  # at once, while runs that are left may still be going on
        return True

    def _kill_run(self, rng):
        """Kills one of the runs as soon as there is one."""
        runs = self._runs()
        while not (runs or self.has_ended()):
            time.sleep(0.05)
            runs = self._runs()
        return bool(runs) and kill(rng.choice(runs))

    def _runs(self):
        return [pid for pid in running(self.directory) if pid != self._process.pid]

    def _complain(self):
        with open(self._log, errors="replace") as file:
            file.seek(self._printed_before)
            failed = "".join(f"  {line}" for line in file if "fail" in line)
        self.complaints.append(
            f"{self.directory.name} ended with status {self._process.returncode}, though none of "
            f"its runs had been killed since it was started:\n{failed}  ({self._log})"
        )
        print(self.complaints[-1], flush=True)
        if len(self.complaints) > 10:
            raise Failure(f"The comparison ends so each time.\n{end_of(self._log)}")
        until = time.monotonic() + PATIENCE
        while self._runs() and time.monotonic() < until:  # so that it can be seen how it goes on
            time.sleep(0.5)


def _state(directory):
    """Returns how many runs there are, and how many have finished."""
    runs = list(directory.glob("*/seed*/"))
    done = [run for run in runs if (run / "summary.json").exists()]
    return f"{len(done)} runs finished, {len(runs) - len(done)} begun"


def _compare(whole, killed):
    """Compares the tables and all runs; returns and prints what is not equal."""
    found, all_numbers = equality.table_differences(whole, killed), 0
    runs = sorted(path.relative_to(whole) for path in whole.glob("*/seed*/"))
    for run in runs:
        unequal, numbers = equality.differences(whole / run, killed / run)
        found += unequal
        all_numbers += numbers
    equal = f"all {all_numbers:,} values of {len(runs)} runs, and the tables, are equal"
    print(f"{killed.name}: " + ("\n".join(found) or equal), flush=True)
    return found
