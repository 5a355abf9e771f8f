"""Its processes run in this one here: three more imports of TensorFlow would take longer."""

import re
import subprocess

from helpers import smoke

import input_memory  # isort: skip  (which smoke makes importable)


def test_what_it_prints(monkeypatch, capsys):
    def run(command, **_):
        """Makes what a process would; says that the images take 1 MB, as if it were a new one."""
        program, file, *arguments = command
        assert file == input_memory.__file__
        smoke.run(input_memory, *arguments)
        printed = capsys.readouterr().out
        if "--only=load" in arguments:
            assert int(printed) > 10**8, "this process has more than TensorFlow takes"
            printed = f"{peaks.pop(0)}\n"
        return subprocess.CompletedProcess(command, 0, printed)

    peaks = [10_000_000, 9_000_000]
    monkeypatch.setattr(subprocess, "run", run)
    smoke.run(input_memory, "--images=800", "--batches=1")
    printed = capsys.readouterr().out
    megabytes = 600 * 32 * 32 * 3 / 1e6
    assert re.fullmatch(
        rf"{megabytes:.0f} MB of images took 1 MB of memory at the peak: "
        rf"{1 / megabytes:.2f} times their bytes\.\n",
        printed,
    )
