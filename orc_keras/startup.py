"""Start-up of the programs, without TensorFlow's messages."""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow without its messages; programs call it before their other imports.

    On import TensorFlow prints messages at any log level (tensorflow#100442). To see them, set
    TF_CPP_MIN_LOG_LEVEL=0 in the environment. Keras takes TensorFlow for its backend.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if os.path.expanduser("~") == "~":  # Keras and others would make a folder called ~ here
        os.environ["HOME"] = tempfile.gettempdir()
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0" or "tensorflow" in sys.modules:
        return
    with silent_stderr():
        import tensorflow  # noqa: F401


def python(*arguments: str) -> dict[str, Any]:
    """Returns, for `subprocess`, what runs Python with this package, wherever that lies.

    The process imports nothing from the working directory, which may be a stranger's run.
    """
    root, others = str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")
    path = os.pathsep.join([root, others] if others else [root])
    return {"args": [sys.executable, "-P", *arguments], "env": os.environ | {"PYTHONPATH": path}}


def cores() -> list[int]:
    """Returns the numbers of the CPU's cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def open_closed_streams() -> None:
    """Opens closed standard streams; or a file would get their number, and what is printed.

    Names of files that are no text can be read, as Python does in some locales. What standard
    output's encoding lacks is printed as Python writes it, as on standard error.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
        stream = getattr(sys, name)
        wanted = "surrogateescape" if mode == "r" else "backslashreplace"
        others = {"strict", "surrogateescape"} - {wanted}
        if isinstance(stream, io.TextIOWrapper) and stream.errors in others:
            stream.reconfigure(errors=wanted)  # impossible once it has been read


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Silences standard error, also of C and C++ libraries."""
    open_closed_streams()
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
