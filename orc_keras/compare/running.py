"""Makes the runs of a comparison, each in a process of its own, several at once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.record import RunRecord

TRAIN = Path(__file__).parents[2] / "train.py"


def run_all(runs, jobs):
    """Makes the runs that have not finished, `jobs` of them at once.

    Each is `train.py` with a flagfile, `<its directory>.flags`; what it prints goes to
    `<its directory>.log`. A run that was stopped continues. SIGTERM and Ctrl-C stop the runs that
    are being made, which save, and then this one.

    Args:
        runs: a list of `Trial`.
        jobs: at least 1; the cores are divided among them.

    Returns:
        The runs that failed, a list of `Trial`.
    """
    waiting = [run for run in runs if not RunDirectory(run.settings).is_finished()]
    done, failed, processes = len(runs) - len(waiting), [], {}
    print(_announcement(runs, done, jobs), flush=True)
    with _stopping(processes) as received:
        while waiting or processes:
            in_use = _start(waiting, processes, jobs)
            if in_use and not processes:
                _wait(received)  # for what a comparison that was killed has started
                continue
            if not processes:  # those that are left wait for a pivot that failed
                return [*failed, *waiting]
            run, code, seconds = _ended(processes, received)
            if code and RunDirectory(run.settings).is_in_use():
                waiting.append(run)  # somebody was quicker: then it is being made
                continue
            done += 1
            failed += [run] if code else []
            print(f"[{done}/{len(runs)}] {_outcome(run, code, seconds)}", flush=True)
    return failed


def _announcement(runs, done, jobs):
    names = ", ".join(dict.fromkeys(run.variant for run in runs))
    made = f" {done} have been made before." if done else ""
    logs = runs[0].directory.parents[1] / "<name>" / "seed<n>.log"
    return f"{len(runs)} runs, {jobs} at once: {names}.{made} What each prints goes to {logs}."


def default_jobs():
    """Returns how many runs to make at once: one, or on CPUs one for each core."""
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else len(_cores())


def _start(waiting, processes, jobs):
    """Starts runs, as many as may be, whose pivot is there.

    Returns:
        Those that have to wait because another process makes them: one that was started by a
        comparison which was killed, and goes on.
    """
    in_use = [run for run in waiting if RunDirectory(run.settings).is_in_use()]
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
    cores = _cores()[slot::jobs] or _cores()
    with open(log, "a") as output:
        process = subprocess.Popen(
            [sys.executable, TRAIN, f"--flagfile={flagfile}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C reaches it once, through us
        )
    with contextlib.suppress(AttributeError, ProcessLookupError):  # not on every system
        os.sched_setaffinity(process.pid, cores)
    process.slot, process.started = slot, time.monotonic()
    return process


def _ended(processes, received):
    """Waits until a run has ended; returns it, its exit code, and how many seconds it took."""
    while True:
        for process, run in processes.items():
            if process.poll() is not None:
                del processes[process]
                return run, process.returncode, time.monotonic() - process.started
        _wait(received)


def _wait(received):
    """Waits a moment; KeyboardInterrupt if a signal has been received."""
    if received:
        raise KeyboardInterrupt(received[0])
    time.sleep(0.2)


def _outcome(run, code, seconds):
    name = f"{run.variant}, seed {run.seed}"
    if code < 0:  # by the system, for example, when memory runs out
        return f"{name}: killed by {signal.Signals(-code).name}.\n  ({run.directory}.log)"
    if code:
        lines = Path(f"{run.directory}.log").read_text(errors="replace").strip().splitlines()
        return f"{name}: failed. {lines[-1] if lines else ''}\n  ({run.directory}.log)"
    *_, student = RunRecord(run.directory).summary["members"].values()
    return f"{name}: {student['accuracy']:.2%} ({seconds / 60:.1f} min)"


@contextlib.contextmanager
def _stopping(processes):
    """Notes signals, in the list that it gives; whatever happens, no run goes on alone."""
    received = []
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    heard = [n for n in numbers if signal.getsignal(n) != signal.SIG_IGN]  # as under nohup
    before = {n: signal.signal(n, lambda number, _: received.append(number)) for n in heard}
    try:
        yield received
    finally:
        for process in processes:
            process.terminate()
        for process in processes:  # it saves; a further signal does not hurry it
            process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def _cores():
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:
        return list(range(os.cpu_count()))
