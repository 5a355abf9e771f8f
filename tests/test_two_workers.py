"""Runs of two real processes that talk over the loopback interface."""

import contextlib
import json
import os
import signal
import socket
import time

import pytest
from saved_runs import FLAGS, assert_same_end, saves, wait_for_saves
from tiny_run import TinyRuns


@pytest.fixture(scope="module")
def programs():
    """Two programs that start runs."""
    with TinyRuns() as first, TinyRuns() as second:
        yield first, second


@contextlib.contextmanager
def free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("localhost", 0))
        yield [each.getsockname()[1] for each in sockets]


def start(programs, directory, *of_second):
    """Starts a run of two workers, the chief first, or the chief only; returns process ids."""
    with free_ports(2) as ports:
        cluster = {"worker": [f"localhost:{port}" for port in ports]}
    processes = []
    for index, program in enumerate(programs):
        config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        flags = [
            *FLAGS,
            f"--output_dir={directory}-worker" if index else f"--output_dir={directory}",
        ]
        environment = {"TF_CONFIG": json.dumps(config)}
        more = of_second if index else ()
        processes.append(program.start(*flags, *more, environment=environment))
    return processes


def wait(programs):
    return [program.wait() for program in programs]


@pytest.fixture(scope="module")
def whole(programs, tmp_path_factory):
    """The directory of a run of two workers that nothing disturbed."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    start(programs, directory)
    (code, printed), (code_of_second, printed_by_second) = wait(programs)
    assert (code, code_of_second) == (0, 0), printed + printed_by_second
    assert "hidden8 (student)" in printed
    assert printed_by_second.splitlines()[1:] == [
        "Worker 1 of 2 trains along; the chief says how it goes."
    ]
    return directory


def test_two_workers_compute_what_two_replicas_of_one_process_do(programs, whole, tmp_path):
    """Weights, momentum, statistics of each replica, metrics and histories, roles changing."""
    flags = (*FLAGS, "--strategy=mirrored", f"--output_dir={tmp_path}")
    programs[0].start(*flags, devices=2)
    code, printed = programs[0].wait()
    assert code == 0, printed
    assert_same_end(whole, tmp_path, tolerance=1e-5)


def test_only_the_chief_writes(whole):
    assert [path.name for path in whole.parent.iterdir()] == ["run"]
    assert (whole / "student" / "saved_model.pb").exists()


def test_a_worker_that_is_killed_stops_the_other(programs, whole, tmp_path):
    """The chief, then the other one; started again, both end as if undisturbed."""
    directory = tmp_path / "run"
    for killed in (0, 1):
        processes = start(programs, directory)
        wait_for_saves(directory, 4)
        os.kill(processes[killed], signal.SIGKILL)
        began = time.monotonic()
        ends = wait(programs)
        assert time.monotonic() - began < 60
        assert ends[killed][0] == -signal.SIGKILL
        code, printed = ends[1 - killed]
        assert code == 1 and "Traceback" not in printed
        assert printed.splitlines()[-1] == (
            "train.py: another worker has stopped, or its machine cannot be reached; the same "
            "command continues from the last save, on all of them."
        )
    start(programs, directory)
    (code, printed), _ = wait(programs)
    assert code == 0 and "Continuing:" in printed, printed
    assert_same_end(directory, whole)


def test_a_signal_to_one_worker_saves_and_stops_both(programs, tmp_path):
    directory = tmp_path / "run"
    processes = start(programs, directory)
    wait_for_saves(directory, 2)
    os.kill(processes[1], signal.SIGTERM)
    for code, printed in wait(programs):
        assert code == 128 + signal.SIGTERM, printed
        assert printed.splitlines()[-1].startswith("train.py: stopped by SIGTERM")
    assert saves(directory)


def test_workers_with_other_flags_are_refused(programs, tmp_path):
    start(programs, tmp_path / "run", "--seed=7")
    for code, printed in wait(programs):
        assert code == 1
        assert printed.splitlines()[-1].startswith(
            "train.py: Worker 1 differs from the chief in seed; all workers need the same flags"
        )
    assert not (tmp_path / "run").exists()


def test_ctrl_c_ends_a_worker_that_waits_for_others(programs, tmp_path):
    (process,) = start(programs[:1], tmp_path / "run")
    time.sleep(3)  # in which it gets there, as a rule
    os.kill(process, signal.SIGINT)
    began = time.monotonic()
    code, _ = programs[0].wait()
    assert code in (-signal.SIGINT, 128 + signal.SIGINT) and time.monotonic() - began < 10
