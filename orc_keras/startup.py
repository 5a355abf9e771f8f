"""How the programs of this project start: without TensorFlow's messages."""

import contextlib
import logging
import os
import sys

import absl.logging


def honouring_log_level():
    """Silences standard error around TensorFlow's import if TF_CPP_MIN_LOG_LEVEL is set.

    While it is imported, TensorFlow prints messages whatever that level is (tensorflow#100442).
    """
    wanted = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0") == "0"
    return contextlib.nullcontext() if wanted else silent_stderr()


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
    """Keeps what TensorFlow merely informs about out of the output; `command_line.run` calls it."""
    absl.logging.set_verbosity(absl.logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
