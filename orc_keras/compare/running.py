"""Executes the runs of a comparison, each in its own process, several at once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from orc_keras import startup
from orc_keras.runs import RunDirectory, continuation

TRAIN = ("-m", "orc_keras", "train")


def run_all(runs, jobs):
    """Executes the unfinished runs, `jobs` at once.

    Each is `train.py` with the flagfile `<its directory>.flags`; its output goes to
    `<its directory>.log`. Interrupted runs continue. SIGTERM and Ctrl-C stop the current runs,
    which save first, and then this process.

    Args:
        runs: a list of `Trial`.
        jobs: at least 1; the cores are divided among them.

    Returns:
        The runs that failed, a list of `Trial`.
    """
    waiting = [run for run in runs if not _has_finished(run)]
    done, failed, processes = len(runs) - len(waiting), [], {}
    print(_announcement(runs, done, jobs), flush=True)
    with _stopping(processes) as received:
        while waiting or processes:
            in_use = _start(waiting, processes, jobs)
            if in_use and not processes:
                _wait(received)  # for runs that a killed comparison left behind
                continue
            if not processes:  # the rest wait for a pivot whose training failed
                return [*failed, *waiting]
            run, code, seconds = _ended(processes, received)
            if code and RunDirectory(run.directory).is_in_use():
                waiting.append(run)  # another process has just claimed it
                continue
            done += 1
            failed += [run] if code else []
            print(f"[{done}/{len(runs)}] {_outcome(run, code, seconds)}", flush=True)
    return failed


def _has_finished(run):
    return continuation.has_finished(RunDirectory(run.directory), run.settings)


def _announcement(runs, done, jobs):
    names = ", ".join(dict.fromkeys(run.variant for run in runs))
    made = f" {done} have been made before." if done else ""
    logs = runs[0].directory.parents[1] / "<name>" / "seed<n>.log"
    return f"{len(runs)} runs, {jobs} at once: {names}.{made} What each prints goes to {logs}."


def default_jobs():
    """Returns how many runs to execute at once: one on GPUs, one per core on CPUs."""
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else len(startup.cores())


def _start(waiting, processes, jobs):
    """Starts runs in the free slots, if their pivot exists already.

    Returns:
        The runs that another process is executing, left behind by a comparison that was killed.
    """
    in_use = [run for run in waiting if RunDirectory(run.directory).is_in_use()]
    free = [slot for slot in range(jobs) if slot not in [p.slot for p in processes]]
    for run in [run for run in waiting if run not in in_use]:
        if free and (run.pivot is None or run.pivot.exists()):
            waiting.remove(run)
            processes[_process(run, free.pop(0), jobs)] = run
    return in_use


def _process(run, slot, jobs):
    run.directory.parent.mkdir(parents=True, exist_ok=True)
    flagfile, log = (f"{run.directory}{ending}" for ending in (".flags", ".log"))
    text = f"{run.settings.as_flags()}--output_dir={run.directory}\n"
    Path(flagfile).write_text(text, encoding="utf-8")
    cores = startup.cores()[slot::jobs] or startup.cores()
    with open(log, "a") as output:
        process = subprocess.Popen(
            [sys.executable, *TRAIN, f"--flagfile={flagfile}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches it only through us
        )
    with contextlib.suppress(AttributeError, ProcessLookupError):  # not on every system
        os.sched_setaffinity(process.pid, cores)
    process.slot, process.started = slot, time.monotonic()
    return process


def _ended(processes, received):
    """Waits until a run ends; returns it, its exit code and its seconds."""
    while True:
        for process, run in processes.items():
            if process.poll() is not None:
                del processes[process]
                return run, process.returncode, time.monotonic() - process.started
        _wait(received)


def _wait(received):
    """Waits a moment; raises KeyboardInterrupt if a signal was received."""
    if received:
        raise KeyboardInterrupt(received[0])
    time.sleep(0.2)


def _outcome(run, code, seconds):
    name = f"{run.variant}, seed {run.seed}"
    if code < 0:  # for example by the system, out of memory
        return f"{name}: killed by {signal.Signals(-code).name}.\n  ({run.directory}.log)"
    if code:
        lines = Path(f"{run.directory}.log").read_text(errors="replace").strip().splitlines()
        return f"{name}: failed. {lines[-1] if lines else ''}\n  ({run.directory}.log)"
    *_, student = RunDirectory(run.directory).summary["members"].values()
    return f"{name}: {student['accuracy']:.2%} ({seconds / 60:.1f} min)"


@contextlib.contextmanager
def _stopping(processes):
    """A context that records signals in a list, and terminates all processes at its end."""
    received = []
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    heard = [n for n in numbers if signal.getsignal(n) != signal.SIG_IGN]  # as under nohup
    before = {n: signal.signal(n, lambda number, _: received.append(number)) for n in heard}
    try:
        yield received
    finally:
        for process in processes:
            process.terminate()
        for process in processes:  # it saves, undisturbed by further signals
            process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
