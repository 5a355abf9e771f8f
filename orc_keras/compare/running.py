"""Trains the runs of a comparison, each in its own process, several at once."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from orc_keras import files, startup
from orc_keras.compare.plan import FLAGS, LOG, PlannedRun
from orc_keras.formatting import duration
from orc_keras.training.signals import StopSignals

TRAIN = ("-m", "orc_keras", "train")
POLL_SECONDS = 0.2


class Job(NamedTuple):
    """A process that trains a run, on the cores of its slot."""

    run: PlannedRun
    slot: int
    process: subprocess.Popen
    started: float  # by time.monotonic()
    log_start: int = 0  # the bytes that earlier processes have written to its log


def train(runs: Sequence[PlannedRun], num_jobs: int) -> list[PlannedRun]:
    """Trains the unfinished runs, `num_jobs` at once.

    Each is `train` with the flagfile `<its directory>.flags`; its output goes to
    `<its directory>.log`. Interrupted runs continue. SIGTERM and Ctrl-C stop the current runs,
    which save first, and then this process. The cores are divided among the jobs.

    Returns:
        The runs that failed, and those whose pivot's training failed.
    """
    waiting = [run for run in runs if not run.is_finished]
    failed, jobs, durations, finished = [], [], [], len(runs) - len(waiting)
    names = "; ".join(dict.fromkeys(run.name for run in runs))
    before = f" {finished} have finished before." if finished else ""
    logs = runs[0].directory.path.parents[1] / "<name>" / "seed<n>.log"
    print(f"{len(runs)} runs, {num_jobs} at once: {names}.{before} Output: {logs}.", flush=True)
    with StopSignals() as signals, _terminating(jobs):
        while waiting or jobs:
            for run in [run for run in waiting if _can_start(run)][: num_jobs - len(jobs)]:
                waiting.remove(run)
                slot = min({*range(num_jobs)} - {job.slot for job in jobs})
                jobs.append(_start(run, slot, num_jobs))
            if not jobs and not any(run.directory.is_locked() for run in waiting):
                break  # the rest wait for a pivot whose training failed
            time.sleep(POLL_SECONDS)
            if signals.received:
                raise KeyboardInterrupt(signals.received)
            for job in [job for job in jobs if job.process.poll() is not None]:
                jobs.remove(job)
                if job.process.returncode:
                    failed.append(job.run)
                else:
                    durations.append(time.monotonic() - job.started)
                finished += 1
                left = _time_left(durations, jobs, len(waiting), num_jobs)
                print(f"[{finished}/{len(runs)}] {_outcome(job)}{left}", flush=True)
    return [*failed, *waiting]


@contextlib.contextmanager
def _terminating(jobs: list[Job]):
    """A context that terminates all processes at its end; they save first."""
    try:
        yield
    finally:
        for job in jobs:
            job.process.terminate()
        for job in jobs:
            job.process.wait()


def _can_start(run: PlannedRun) -> bool:
    """Whether its pivot exists, and no comparison that was killed has left its process behind."""
    has_pivot = run.pivot is None or run.pivot.exists()
    return has_pivot and not run.directory.is_locked()


def _start(run: PlannedRun, slot: int, num_jobs: int) -> Job:
    directory = run.directory.path
    directory.parent.mkdir(parents=True, exist_ok=True)
    flagfile = Path(f"{directory}{FLAGS}")
    flags = f"{run.settings.as_flags()}--output_dir={directory}\n"
    files.write_text(flagfile, flags)
    with open(_log(run), "ab") as log:
        log_start = log.tell()
        process = subprocess.Popen(
            **startup.python(*TRAIN, f"--flagfile={flagfile}"),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches it only through us
        )
    with contextlib.suppress(AttributeError, ProcessLookupError):  # not on every system
        os.sched_setaffinity(process.pid, startup.cores()[slot::num_jobs] or startup.cores())
    return Job(run, slot, process, time.monotonic(), log_start)


def _time_left(durations: list[float], jobs: list[Job], num_waiting: int, num_jobs: int) -> str:
    """Returns the end of a line: the time left, if the other runs take the mean of `durations`."""
    if not durations or not (jobs or num_waiting):
        return ""
    mean, now = sum(durations) / len(durations), time.monotonic()
    work = num_waiting * mean + sum(max(mean - (now - job.started), 0) for job in jobs)
    return f", about {duration(work / min(num_jobs, num_waiting + len(jobs)))} left"


def _log(run: PlannedRun) -> Path:
    return Path(f"{run.directory.path}{LOG}")


def _outcome(job: Job) -> str:
    run, code = job.run, job.process.returncode
    name = f"{run.name}, seed {run.settings.seed}"
    if code < 0:  # for example by the system, out of memory
        return f"{name}: killed by {signal.Signals(-code).name}.\n  ({_log(run)})"
    if code:
        output = _log(run).read_bytes()[job.log_start :].decode(errors="replace")
        lines = output.strip().splitlines()
        # Another comparison's process may write to the same file.
        reasons = [line for line in lines if line.startswith("orc-keras train: ")] or lines
        return f"{name}: failed. {''.join(reasons[-1:])}\n  ({_log(run)})"
    *_, student = run.directory.summary["members"].values()
    return f"{name}: {student['accuracy']:.2%}"
