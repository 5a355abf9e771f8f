"""Checksums of the files in a directory, in the format of `sha256sum --check`."""

from collections.abc import Collection, Mapping
from pathlib import Path

from orc_keras import files
from orc_keras.files import sha256
from orc_keras.run_files import SETTINGS, SUMMARY, SUMS


def text(paths: Mapping[str, Path]) -> str:
    """Returns the contents of a checksum file; `paths` are by the names in it."""
    return "".join(f"{sha256(path)}  {name}\n" for name, path in paths.items())


def read(directory: Path) -> dict[str, str]:
    """Returns the checksums in a directory by name of the file; ValueError if they are damaged."""

    def parse(path):
        lines = path.read_text(encoding="utf-8").splitlines()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
        if not sums:
            raise ValueError("It is empty.")
        for name in sums:
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ValueError(f"{name} is not in this folder.")
        return sums

    return files.read(directory / SUMS, parse)


def check(directory: Path, *names: str) -> None:
    """Raises ValueError if a file is missing, damaged, or not the one that was written.

    Args:
        directory: of the checksum file.
        names: of the files; none: all that are listed.
    """
    sums = read(directory)
    for name in names or sums:
        path = directory / name
        if sums.get(name) != files.read(path, sha256):
            raise ValueError(f"{path} is damaged, or not of this run: {SUMS} has another checksum.")


def check_exported(path: Path, saved_model: Path) -> None:
    """Raises ValueError if an exported network is damaged, or not that of the run it lies in.

    Args:
        path: of the network.
        saved_model: the directory of its SavedModel, which may be `path`.
    """
    check(saved_model)
    run, exported = path.absolute().parent, {path.absolute().name, saved_model.absolute().name}
    if names := [name for name in _of_finished(run) if name.split("/")[0] in exported]:
        check(run, *names)


def check_in_run(path: Path) -> None:
    """Raises ValueError if a file of a finished run is damaged, or not the one that it wrote."""
    for file in {path.absolute(), path.resolve()}:
        for run in file.parents[:2]:  # it lies in the run, or in a folder of it
            if (name := file.relative_to(run).as_posix()) in _of_finished(run):
                check(run, name)


def _of_finished(run: Path) -> dict[str, str]:
    """Returns the checksums of a finished run; empty if it is none. Later exports have none."""
    is_finished = all((run / name).exists() for name in (SETTINGS, SUMMARY, SUMS))
    return read(run) if is_finished else {}


def update(directory: Path, written: Collection[Path]) -> None:
    """Corrects the checksum file after listed files were written again.

    Args:
        directory: of the checksum file.
        written: paths of these files, or of directories that hold them.
    """
    sums = read(directory)
    for name in sums:
        path = directory / name
        if path.is_file() and not {path, *path.parents}.isdisjoint(written):
            sums[name] = sha256(path)
    lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
    files.write_text(directory / SUMS, "".join(lines))
