"""Checksums as a stranger would write them."""

from orc_keras import checksums


def sign(run):
    """Writes all checksums anew."""
    for directory in (run / "student", run):
        checksums.update(directory, [*directory.rglob("*")])
