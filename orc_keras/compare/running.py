"""Trains the runs of a comparison, each in its own process, several at once."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from orc_keras import startup
from orc_keras.compare.plan import PlannedRun

TRAIN = ("-m", "orc_keras", "train")
POLL_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class Job:
    """A process that trains a run, on the cores of its slot."""

    run: PlannedRun
    slot: int
    process: subprocess.Popen
    started: float = dataclasses.field(default_factory=time.monotonic)


def train(runs: Sequence[PlannedRun], num_jobs: int) -> list[PlannedRun]:
    """Trains the unfinished runs, `num_jobs` at once.

    Each is `train` with the flagfile `<its directory>.flags`; its output goes to
    `<its directory>.log`. Interrupted runs continue. SIGTERM and Ctrl-C stop the current runs,
    which save first, and then this process.

    Args:
        runs: of a comparison.
        num_jobs: at least 1; the cores are divided among them.

    Returns:
        The runs that failed, and those whose pivot's training failed.
    """
    waiting = [run for run in runs if not run.is_finished]
    failed, jobs, finished = [], [], len(runs) - len(waiting)
    print(_announcement(runs, finished, num_jobs), flush=True)
    with _terminating(jobs) as signals:
        while waiting or jobs:
            is_blocked = _start(waiting, jobs, num_jobs)
            if not jobs and not is_blocked:  # the rest wait for a pivot whose training failed
                break
            time.sleep(POLL_SECONDS)
            if signals:
                raise KeyboardInterrupt(signals[0])
            for job in [job for job in jobs if job.process.poll() is not None]:
                jobs.remove(job)
                failed += [job.run] if job.process.returncode else []
                finished += 1
                print(f"[{finished}/{len(runs)}] {_outcome(job)}", flush=True)
    return [*failed, *waiting]


def _announcement(runs: Sequence[PlannedRun], finished: int, num_jobs: int) -> str:
    names = ", ".join(dict.fromkeys(run.name for run in runs))
    before = f" {finished} have finished before." if finished else ""
    logs = runs[0].directory.path.parents[1] / "<name>" / "seed<n>.log"
    return f"{len(runs)} runs, {num_jobs} at once: {names}.{before} Their output goes to {logs}."


def default_jobs() -> int:
    """Returns how many runs to train at once: one on GPUs, one per core on CPUs."""
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else len(startup.cores())


def _start(waiting: list[PlannedRun], jobs: list[Job], num_jobs: int) -> bool:
    """Starts runs whose pivot exists in the free slots.

    Returns:
        Whether another process trains one of those that wait: a comparison that was killed leaves
        its processes behind.
    """
    is_blocked = False
    for run in list(waiting):
        free = {*range(num_jobs)} - {job.slot for job in jobs}
        if not free:
            break
        if run.directory.is_in_use():
            is_blocked = True
        elif run.pivot is None or run.pivot.exists():
            waiting.remove(run)
            jobs.append(_job(run, min(free), num_jobs))
    return is_blocked


def _job(run: PlannedRun, slot: int, num_jobs: int) -> Job:
    directory = run.directory.path
    directory.parent.mkdir(parents=True, exist_ok=True)
    flags = f"{run.settings.as_flags()}--output_dir={directory}\n"
    _beside(run, "flags").write_text(flags, encoding="utf-8")
    with open(_beside(run, "log"), "a") as log:
        process = subprocess.Popen(
            [sys.executable, *TRAIN, f"--flagfile={_beside(run, 'flags')}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches it only through us
        )
    with contextlib.suppress(AttributeError, ProcessLookupError):  # not on every system
        os.sched_setaffinity(process.pid, startup.cores()[slot::num_jobs] or startup.cores())
    return Job(run, slot, process)


def _beside(run: PlannedRun, suffix: str) -> Path:
    return Path(f"{run.directory.path}.{suffix}")


def _outcome(job: Job) -> str:
    run, code, log = job.run, job.process.returncode, _beside(job.run, "log")
    name = f"{run.name}, seed {run.settings.seed}"
    if code < 0:  # for example by the system, out of memory
        return f"{name}: killed by {signal.Signals(-code).name}.\n  ({log})"
    if code:
        *_, last = ["", *log.read_text(errors="replace").strip().splitlines()]
        return f"{name}: failed. {last}\n  ({log})"
    *_, student = run.directory.summary["members"].values()
    minutes = (time.monotonic() - job.started) / 60
    return f"{name}: {student['accuracy']:.2%} ({minutes:.1f} min)"


@contextlib.contextmanager
def _terminating(jobs: list[Job]) -> Iterator[list[int]]:
    """A context that records signals in a list, and terminates all processes at its end."""
    received = []
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handled = [n for n in numbers if signal.getsignal(n) != signal.SIG_IGN]  # as under nohup
    before = {n: signal.signal(n, lambda number, _: received.append(number)) for n in handled}
    try:
        yield received
    finally:
        for job in jobs:
            job.process.terminate()
        for job in jobs:  # it saves, undisturbed by further signals
            job.process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
