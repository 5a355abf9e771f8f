"""Runs of train.py that are killed again and again, of one process or of several workers."""

import collections
import contextlib
import json
import random
import signal
import socket
import subprocess
import time
from concurrent import futures

from killing import equality, phases
from killing.children import Failure, end_of

AT_ONCE = len(phases.PHASES)  # kills of one run
COMMON = ("train.py", "--flagfile=configs/digits.flags", "--deterministic", "--save_every=7 steps")
TO_NOTICE = 60  # seconds in which a worker notices that another one is gone


class Attempt:
    """A start of a run, which may be one of many: a process, or one for each worker.

    Args:
        children: `Children`.
        directory: of the run.
        arguments: of train.py.
        workers: how many.
    """

    def __init__(self, children, directory, arguments, workers):
        self.logs = [directory.with_name(f"{directory.name}{_of(i)}.log") for i in range(workers)]
        before = self.logs[0].stat().st_size if self.logs[0].exists() else 0
        self.processes = [
            children.start(
                [*COMMON, *arguments, f"--output_dir={directory}{_of(index)}"], log, environment
            )
            for index, (log, environment) in enumerate(zip(self.logs, _environments(workers)))
        ]
        self.watch = phases.Watch(self.processes[0], directory, self.logs[0], before)

    def kill(self, rng):
        """Kills the process, or one of the workers.

        Returns:
            The phase that the run was in, and what else there is to say; None if it had ended.
        """
        killed = rng.choice(self.processes)
        self.watch.phase()  # some of it can be seen only while the process is there
        killed.kill()
        if killed.wait() != -signal.SIGKILL:
            self.end()
            return None
        phase = self.watch.phase()
        number = self.processes.index(killed)
        which = f" of worker {number}" if len(self.processes) > 1 else ""
        return phase, which + self._end_others(killed, phase)

    def end(self):
        """Waits until the run has ended by itself, which it should without complaint."""
        for process, log in zip(self.processes, self.logs):
            try:
                code = process.wait(phases.PATIENCE)
            except subprocess.TimeoutExpired:
                raise Failure(f"It came to no end.\n{end_of(log)}") from None
            if code:
                raise Failure(f"A run ended with status {code}.\n{end_of(log)}")

    def _end_others(self, killed, phase):
        """Waits until the other workers have noticed; returns what there is to say of that."""
        until, said = time.monotonic() + TO_NOTICE, ""
        for process, log in zip(self.processes, self.logs):
            if process is killed:
                continue
            try:
                code = process.wait(max(0, until - time.monotonic()))
                said += f"; the other ended with {code}"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                said += f"; the other went on for {TO_NOTICE} s"
                if phase != phases.PHASES[0]:  # in which a worker may wait for one yet to come
                    raise Failure(f"{phase}{said}.\n{end_of(log)}") from None
        return said


def kill(children, directory, arguments, kills, seed, jobs=1, workers=1):
    """Kills runs at random moments, continues them, and compares what they end with.

    Args:
        children: `Children`.
        directory: where the runs are to lie.
        arguments: of train.py.
        kills: how many in all.
        seed: of the moments.
        jobs: how many runs at once.
        workers: processes of each run.

    Returns:
        Sentences that say what is not equal; and how many kills there were by phase, a `Counter`.
    """
    made, jobs = [], min(jobs, kills)
    all_jobs = [
        _Job(children, directory / f"job{job}", arguments, workers, f"{seed} {job}", made)
        for job in range(jobs)
    ]
    with futures.ThreadPoolExecutor(jobs) as pool, children:
        seconds = list(pool.map(_Job.make_whole, all_jobs))
        whole = all_jobs[0].whole
        print(f"A run that is not killed takes {sum(seconds[0].values()):.0f} s:")
        print("; ".join(f"{phase} {taken:.2f}" for phase, taken in seconds[0].items()))
        found = [one for job in all_jobs[1:] for one in equality.differences(whole, job.whole)[0]]
        shares = [kills // jobs + (job < kills % jobs) for job in range(jobs)]
        started = [
            pool.submit(job.kill_runs, share, of_phases, whole, kills)
            for job, share, of_phases in zip(all_jobs, shares, seconds)
        ]
        for future in futures.as_completed(started):
            found += future.result()
    return found, collections.Counter(made)


class _Job:
    """Runs that are made one after the other, in a directory of their own."""

    def __init__(self, children, directory, arguments, workers, seed, made):
        self._start = lambda run: Attempt(children, run, arguments, workers)
        self._directory, self._made = directory, made
        self._rng = random.Random(seed)
        self.whole = directory / "whole"

    def make_whole(self):
        """Makes the run that is not killed; returns the seconds of each phase."""
        attempt = self._start(self.whole)
        seconds = phases.follow(attempt.watch)
        attempt.end()
        return seconds

    def kill_runs(self, kills, seconds, whole, of_all):
        """Makes as many runs as it takes for so many kills; returns what is not equal."""
        plans, left, number, found = phases.Plans(self._rng), kills, 0, []
        while left:
            number += 1
            run = self._directory / f"run{number}"
            done = self._kill_run(run, plans.draw(min(left, AT_ONCE)), seconds, of_all)
            left -= done
            unequal, numbers = equality.differences(whole, run)
            outcome = "\n".join(unequal) or f"all {numbers:,} values are equal"
            print(f"{_short(run)}, killed {done} times: {outcome}", flush=True)
            found += unequal
        return found

    def _kill_run(self, run, plan, seconds, of_all):
        """Kills and continues a run as planned, then lets it end; returns how often it was."""
        for done, phase in enumerate(plan):
            attempt = self._start(run)
            began = time.monotonic()
            phases.wait_within(phase, attempt.watch, seconds, self._rng)
            killed = attempt.kill(self._rng)
            if not killed:  # it came to its end before
                return done
            phase, more = killed
            self._made.append(phase)
            number, after = len(self._made), time.monotonic() - began
            print(f"[{number}/{of_all}] {_short(run)}: {phase}, {after:.1f} s{more}", flush=True)
        self._start(run).end()
        return len(plan)


def _short(run):
    return f"{run.parent.name}/{run.name}"


def _of(index):
    return f"-worker{index}" if index else ""


def _environments(workers):
    """Returns the variables that tell each worker of the others; none to one alone."""
    if workers == 1:
        return [{}]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(workers)]
        for each in sockets:
            each.bind(("localhost", 0))
        cluster = {"worker": [f"localhost:{each.getsockname()[1]}" for each in sockets]}
    tasks = [{"type": "worker", "index": index} for index in range(workers)]
    return [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]
