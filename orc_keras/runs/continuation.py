"""Whether a run begins, continues or has finished in a directory; none overwrites another."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from orc_keras import files, run_files
from orc_keras.networks.sources import path_of
from orc_keras.runs.directory import RunDirectory
from orc_keras.settings import Settings

# Of the images: mean and deviation differ in the last digit between machines; a folder may move.
MAY_DIFFER = ("mean", "std", "place")
DELETE = "delete that run, which train does with --overwrite"  # and compare does not


def has_finished(directory: RunDirectory, settings: Settings) -> bool:
    """Whether a run with these settings has finished here, and is not to be overwritten."""
    has_summary = (directory / run_files.SUMMARY).is_file()  # else `check` says what it is
    is_there = has_summary and directory.has_begun and not settings.overwrite
    return is_there and not _differences(directory, settings)


def how_to_continue(directory: RunDirectory, settings: Settings) -> str:
    """Returns, for the middle of a sentence, how to continue a run."""
    changes = [f" with --output_dir={directory.path}"] * (not settings.output_dir)
    changes += [" without --overwrite"] * settings.overwrite
    return f"the same command{' and'.join(changes)} continues"


def why_it_ended(
    directory: RunDirectory, settings: Settings, error: Exception, is_written: bool
) -> str:
    """Returns why a run ended, and whether it can continue; empty if the error is a fault of ours.

    What others did to the directory explains any error, if this process writes it (`is_written`).
    """
    again, then = how_to_continue(directory, settings), "what was saved before is there"
    try:
        if is_written:
            check_undisturbed(directory, settings)
    except OSError as disturbance:
        error, then = disturbance, "after that"
    if not isinstance(error, OSError | files.DamagedFile):
        return ""
    folder = directory / run_files.CHECKPOINTS
    has_saves = not folder.is_symlink() and any(folder.glob("*.npz"))
    left = f"{then}, {again}" if has_saves else "there is no save to continue from"
    return f"{str(error).rstrip('.')}; {left}."


def check_undisturbed(
    directory: RunDirectory, settings: Settings, description: dict[str, Any] | None = None
):
    """Raises OSError if others changed the directory of a run while it trained.

    `description` is of the images; None: the saved one need only be whole.
    """
    changed = "was deleted or rewritten while the run trained"
    if not directory.path.is_dir():
        raise OSError(f"{directory.path} {changed}")
    try:
        check_place(directory.path)
        files.check_kinds(directory.path)
        check_files(directory)
    except ValueError as error:
        raise OSError(str(error).rstrip(".")) from error
    with _raising(OSError(f"{directory / run_files.SETTINGS} {changed}; put it back")):
        if directory.settings.identity() != settings.identity():
            raise ValueError
    with _raising(OSError(f"{directory / run_files.DATA} {changed}; delete what is left of it")):
        saved = directory.data  # as whoever evaluates the run will read it
        if description and files.as_json(saved) != files.as_json(description):
            raise ValueError


@contextlib.contextmanager
def _raising(error: OSError):
    """Raises this error in place of a ValueError."""
    try:
        yield
    except ValueError:
        raise error from None


def check_files(directory: RunDirectory, *names: str):
    """Raises DamagedFile if a run cannot write its files.

    Something else has their name, a link leads out of the run, or a folder is read-only.

    Args:
        directory: of the run.
        names: of the files and folders to write; none: all.
    """
    for name in names or (*run_files.ALL, *directory.stage_histories()):
        path, kind = directory.inside(name), "folder" if name in run_files.FOLDERS else "file"
        is_right = path.is_dir() if kind == "folder" else path.is_file()
        if os.path.lexists(path) and not is_right:
            raise files.DamagedFile(f"{path} is not a {kind}; move it away.")
        folder = path if path.is_dir() else path.parent
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise files.DamagedFile(f"{folder} is not writable.")


def check(directory: RunDirectory, settings: Settings):
    """Raises ValueError if a run with these settings would overwrite something."""
    path = directory.path
    check_place(path)
    files.check_kinds(path)
    check_files(directory)
    _check_apart(path, settings.dataset)
    if not directory.has_begun:
        if path.is_dir() and set(os.listdir(path)) - {run_files.SETTINGS}:
            raise ValueError(
                f"--output_dir={path} holds files that are not of a run: there is no "
                f"{run_files.SETTINGS}, or it is empty."
            )
    elif settings.overwrite:
        _check_needed(path, settings)
    elif different := _differences(directory, settings):
        raise ValueError(
            f"--output_dir={path} holds a run with other settings ({', '.join(different)}); choose "
            f"another, or {DELETE}."
        )


def check_place(path: Path):
    """Raises ValueError if a run cannot be written to a directory, before the long work."""
    existing = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise ValueError(f"--output_dir={path}: {existing} is not a directory that is writable.")
    if not 1980 <= (year := time.localtime().tm_year) <= 2107:
        raise ValueError(
            f"This machine's clock is in the year {year}, which a .keras file cannot state; set it."
        )


def _check_apart(path: Path, dataset: str):
    """Refuses a directory in the folder of images, where it would be a class, or around it."""
    kind, _, place = dataset.partition(":")
    folder, path = (Path(os.path.realpath(p)) for p in (os.path.expanduser(place), path))
    if kind == "folder" and (path.is_relative_to(folder) or folder.is_relative_to(path)):
        raise ValueError(
            f"--output_dir={path} and --dataset={dataset} lie in each other; choose an "
            "--output_dir elsewhere."
        )


def saved_data(directory: RunDirectory, settings: Settings) -> dict[str, Any]:
    """Returns the description of the images that the run began with; empty if it has not."""
    if settings.overwrite or not directory.has(run_files.DATA):
        return {}
    with _naming_overwrite(directory):
        return directory.data


def check_data(directory: RunDirectory, settings: Settings, description: dict[str, Any]):
    """Raises ValueError if these are not the images that the run began with."""
    saved = saved_data(directory, settings)
    changed = [k for k in saved if k not in MAY_DIFFER and saved[k] != description.get(k)]
    _refuse_changed([f"--dataset={settings.dataset} ({each})" for each in changed], directory)


def check_sources(directory: RunDirectory, settings: Settings, sources: dict[str, str]):
    """Raises ValueError if a file or code is not what the run's members began with."""
    saved = {} if settings.overwrite else directory.sources
    changed = [source for source in saved if saved[source] != sources.get(source)]
    _refuse_changed(changed, directory)


def _refuse_changed(changed: list[str], directory: RunDirectory):
    if changed:
        raise ValueError(
            f"{changed[0]} is not what it was when the run in {directory.path} began; put it back, "
            "choose another --output_dir, or begin anew by adding --overwrite."
        )


@contextlib.contextmanager
def _naming_overwrite(directory: RunDirectory):
    """Says what is possible if a file is damaged."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"The run in {directory.path} cannot continue; choose another --output_dir, or "
            f"{DELETE}:\n{error}"
        ) from error


def _check_needed(path: Path, settings: Settings):
    """Refuses to overwrite what this run begins with: weights, or a member's file."""
    needed = [("pivot_weights", settings.pivot_weights), ("pivot", settings.pivot)]
    for flag, source in needed + [("students", student) for student in settings.students]:
        file = Path(path_of(source))
        if file.is_file() and file.resolve().is_relative_to(path.resolve()):
            raise ValueError(f"--overwrite would delete --{flag}={source}.")


def _differences(directory: RunDirectory, settings: Settings) -> list[str]:
    """Returns the names of settings that differ from those of the run in this directory."""
    with _naming_overwrite(directory):
        theirs = directory.settings.identity()
    ours = settings.identity()
    return [name for name in ours | theirs if ours.get(name) != theirs.get(name)]
