"""Runs of two real processes that talk over the loopback interface."""

import contextlib
import json
import os
import signal
import socket

import pytest
from helpers.saved_runs import FLAGS, assert_same_end
from helpers.tiny_run import TinyRuns

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs():
    with TinyRuns() as runs:
        yield runs


@contextlib.contextmanager
def bound_sockets():
    """Two sockets at free ports; while they are open nobody else gets these."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("localhost", 0))
        yield first, second


def environment(sockets, index):
    workers = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
    return {"TF_CONFIG": json.dumps(config)}


def run(runs, directory, *of_second, at=(None, None), **how):
    """Runs two workers, the chief first; returns exit code and output of each.

    Args:
        runs: `TinyRuns`.
        directory: of the chief.
        *of_second: flags that only the second has.
        at: what `TinyRuns.start` takes, for each worker.
        **how: what it takes besides, for both.
    """
    with bound_sockets() as sockets:
        environments = [environment(sockets, index) for index in (0, 1)]
    started = []
    for index, name in enumerate((directory, f"{directory}-worker")):
        flags = (*FLAGS, f"--output_dir={name}", *(of_second if index else ()))
        own = {"at": at[index], "environment": environments[index]}
        started.append(runs.start(*flags, **own, **how))
    return [runs.wait(each) for each in started]


@pytest.fixture(scope="module")
def whole(runs, tmp_path_factory):
    """The directory of a run of two workers that nothing disturbed."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    (code, printed), (code_of_second, printed_by_second) = run(runs, directory)
    assert (code, code_of_second) == (0, 0), printed + printed_by_second
    assert "hidden8 (student)" in printed
    assert printed_by_second.splitlines()[1:] == [
        "Worker 1 of 2 trains; the chief prints the progress."
    ]
    return directory


def test_two_workers_compute_what_two_replicas_of_one_process_do(runs, whole, tmp_path):
    """Weights, momentum, statistics of each replica, metrics and histories, roles changing."""
    flags = (*FLAGS, "--strategy=mirrored", f"--output_dir={tmp_path}")
    code, printed = runs.run(*flags, devices=2)
    assert code == 0, printed
    assert_same_end(whole, tmp_path, tolerance=1e-5)
    assert [path.name for path in whole.parent.iterdir()] == ["run"], "only the chief writes"


def test_a_worker_that_stops_stops_the_other(runs, whole, tmp_path):
    """The chief killed, one asked to stop, the other one killed; then both end as undisturbed."""
    directory = tmp_path / "run"

    def kill(index, step):
        at = [None, None]
        at[index] = ("step", step, signal.SIGKILL)
        ends = run(runs, directory, at=at)
        assert ends[index][0] == -signal.SIGKILL, ends
        code, printed = ends[1 - index]
        assert code == 1 and "Traceback" not in printed, printed
        assert printed.splitlines()[-1] == (
            "train.py: another worker has stopped, or its machine cannot be reached; the same "
            "command continues from the last save, on all of them."
        )

    kill(0, step=5)
    for code, printed in run(runs, directory, at=(None, ("step", 8, signal.SIGTERM))):
        assert code == 128 + signal.SIGTERM, printed
        assert printed.splitlines()[-1].startswith("train.py: stopped by SIGTERM")
    kill(1, step=3 + 5)  # three of the pivot, then of the group
    (code, printed), _ = run(runs, directory)
    assert code == 0 and "Continuing:" in printed, printed
    assert_same_end(directory, whole)


@pytest.mark.parametrize(
    "workaround, reason",
    [
        ("_maybe_symbolic_build", "unsupported type (<class 'tensorflow.python.distribute.values."),
        ("with_replica_axis", "Invalid reduction dimension 0 for input with 0 dimensions"),
    ],
)
def test_keras_still_needs_the_workarounds(runs, tmp_path, workaround, reason):
    """When this fails, Keras has mended a fault (#20585, #20329), and its workaround can go."""
    for code, printed in run(runs, tmp_path / "run", without=workaround):
        assert code == 1 and reason in printed, printed[-900:]


def test_workers_with_other_flags_are_refused(runs, tmp_path):
    for code, printed in run(runs, tmp_path / "run", "--seed=7", "--augmentation=cutout"):
        assert code == 1
        assert printed.splitlines()[-1].startswith(
            "train.py: Worker 1 differs from the chief in --seed, --augmentation; all"
        )
    assert not (tmp_path / "run").exists()


def test_ctrl_c_ends_a_worker_that_waits_for_the_chief(runs, tmp_path):
    """Which accepts its connection, and says nothing."""
    with bound_sockets() as sockets:
        how = {"environment": environment(sockets, 1)}
        chief, second = sockets
        second.close()  # which is the worker's own
        chief.listen()
        chief.settimeout(120)  # rather than for ever, if the worker ends
        process = runs.start(*FLAGS, f"--output_dir={tmp_path}/run", **how)
        with chief.accept()[0]:
            os.kill(process, signal.SIGINT)
            code, _ = runs.wait(process)
    assert code == -signal.SIGINT
