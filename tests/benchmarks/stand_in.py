"""In place of train.py and orc_keras.compare, for killed_run.py: without TensorFlow, in a second.

python stand_in.py <train or compare> <a finished run> ... --output_dir=<directory>

A run is a copy of the finished one, file by file, in the order in which train.py makes it. With
--otherwise among the arguments, all but the one that is not killed end with another history.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# What train.py prints and writes, one after the other.
ORDER = (
    *("settings.flags", "The pivot learns alone", "checkpoints/pivot-*", "pivot_history.csv"),
    *("checkpoints/pivot.keras", "The group learns", "checkpoints/group-*", "history.csv"),
    *("roles.npy", "checkpoints/group.keras", "evaluation.npz", "student*", "summary.json"),
    "report",
)


def train(finished, directory, otherwise):
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # an earlier comparison's run may still be there
        for what in ORDER:
            time.sleep(0.04)
            if what[0] == "T":
                print(what)
            for source in sorted(finished.glob(what)):
                write(source, directory / source.relative_to(finished))
        if otherwise and directory.name != "whole":
            with open(directory / "history.csv", "a") as file:
                file.write("something else\n")


def write(source, target):
    """Copies a file or a directory so that it is there whole or not at all."""
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    for old in (part, target):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, part)
    os.rename(part, target)


def compare(finished, directory, otherwise):
    for method in ("kd", "orc"):
        run = directory / method / "seed0"
        if (run / "summary.json").exists():
            continue
        arguments = ["train", str(finished), *["--otherwise"] * otherwise, f"--output_dir={run}"]
        subprocess.run([sys.executable, __file__, *arguments], check=True, start_new_session=True)
    for name in ("results.csv", "runs.csv"):
        (directory / name).write_text("method,accuracy,speed\nkd,0.5,100\norc,0.6,90\n")


if __name__ == "__main__":
    what, finished, *arguments, output_dir = sys.argv[1:]
    program = {"train": train, "compare": compare}[what]
    directory = Path(output_dir.removeprefix("--output_dir="))
    program(Path(finished), directory, "--otherwise" in arguments)
