"""Checksums of the files in a directory, in the format of `sha256sum --check`."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from orc_keras.files import sha256
from orc_keras.run_files import SUMS


def text(paths: Mapping[str, Path]) -> str:
    """Returns the contents of a checksum file; `paths` are by the names in it."""
    return _as_text({name: sha256(path) for name, path in paths.items()})


def read(directory: str | Path) -> dict[str, str]:
    """Returns the checksums in a directory by name of the file.

    Raises:
        ValueError: if they are missing or damaged.
    """
    path = Path(directory) / SUMS
    try:
        if not path.is_file():  # a FIFO would be waited for
            raise ValueError("It is not a file.")
        lines = path.read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged.") from error


def check(directory: str | Path, name: str) -> Path:
    """Returns the path of a file in a directory.

    Raises:
        ValueError: if the file is missing, damaged, or not the one that was written.
    """
    path = Path(directory) / name
    sums = read(directory)
    if not path.is_file():
        raise ValueError(f"{path} is missing.")
    if sums.get(name) != sha256(path):
        raise ValueError(f"{path} is damaged, or not of this run: {SUMS} has another checksum.")
    return path


def check_all(directory: str | Path):
    """Checks every file that a directory's checksums list; errors as in `check`."""
    for name in read(directory):
        check(directory, name)


def missing(directory: str | Path) -> list[str]:
    """Returns the names of files that are listed but missing."""
    return [name for name in read(directory) if not (Path(directory) / name).exists()]


def updated(directory: Path, written: Iterable[Path]) -> str:
    """Returns the contents of the checksum file after listed files were written again.

    Args:
        directory: of the checksum file.
        written: paths of these files, or of directories that hold them.
    """
    sums = read(directory)
    for name in sums:
        path = directory / name
        if path.is_file() and not {path, *path.parents}.isdisjoint(written):
            sums[name] = sha256(path)
    return _as_text(sums)


def _as_text(sums: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items())
