"""How the programs of this project start: without TensorFlow's messages."""

import contextlib
import logging
import os
import sys

import absl.logging


def quietly():
    """Imports TensorFlow without its messages; what a program calls before its other imports.

    While it is imported, TensorFlow prints messages whatever its level is (tensorflow#100442). With
    TF_CPP_MIN_LOG_LEVEL=0 in the environment they are shown.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0" or "tensorflow" in sys.modules:
        return
    with silent_stderr():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def silent_stderr():
    """Silences what is written to standard error, also by libraries that are not Python's."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def log_warnings_only():
    """Keeps what TensorFlow merely informs about out of the output; `command_line` does so."""
    absl.logging.set_verbosity(absl.logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
