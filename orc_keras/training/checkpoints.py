"""Checkpoints: all that training needs to continue as if it had never stopped."""

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from orc_keras.arguments import Range, check_arguments
from orc_keras.files import UNFINISHED, atomic_write, delete

SIZE = hashlib.sha256().digest_size  # of the checksum, which ends a checkpoint


class CheckpointManager:
    """The checkpoints of a training stage, one file each: `<stage>-<epoch>-<step>.npz`.

    A checkpoint is written under a temporary name, synced to disk and renamed, so it is whole even
    if the process or the machine dies. Each has a checksum.

    Args:
        directory: where the checkpoints are.
        stage: the beginning of their names.
        max_to_keep: how many to keep, 1 or more; older ones are deleted.
        run: the identity of the training, as text. The checksum covers it and the file's name, so
            that a checkpoint of another training, or a renamed one, is not used.

    Raises:
        ValueError: if `max_to_keep` is less than 1, or `stage` is not a name.

    Examples:
        >>> checkpoints = CheckpointManager(directory, "group", max_to_keep=2)
        >>> checkpoints.write(epoch=3, step=100, values={"momentum": 0.5})
        >>> epoch, step, values = checkpoints.read()
        >>> epoch, step, float(values["momentum"])
        (3, 100, 0.5)
    """

    def __init__(
        self,
        directory: Path,
        stage: str,
        max_to_keep: Annotated[int, Range(at_least=1)] = 2,
        run: str = "",
    ):
        check_arguments(CheckpointManager, dict(max_to_keep=max_to_keep))
        if not re.fullmatch(r"\w+", stage):
            raise ValueError(f"stage must be a name of letters and digits, not {stage!r}.")
        self._directory = Path(directory)
        self._stage = stage
        self._max_to_keep = max_to_keep
        self._run = run

    def write(
        self,
        epoch: Annotated[int, Range(at_least=0, at_most=10**6 - 1)],
        step: Annotated[int, Range(at_least=0, at_most=10**8 - 1)],
        values: Mapping[str, np.ndarray],
    ) -> None:
        """Writes a checkpoint, then deletes old ones.

        Args:
            epoch: the number of complete epochs.
            step: the number of steps in the next epoch.
            values: arrays by name.

        Raises:
            OSError: if it cannot be written; earlier checkpoints remain.
        """
        check_arguments(CheckpointManager.write, dict(epoch=epoch, step=step))
        path = self._directory / f"{self._stage}-{epoch:06d}-{step:08d}.npz"
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **values)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as unfinished, open(unfinished, "wb") as file:
                file.write(content.getbuffer())
                file.write(self._checksum(path, content.getbuffer()))
        except OSError as error:
            raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
        paths = self._paths()
        # Training continued from before the newer ones, so those are damaged.
        newer, older = paths[: paths.index(path)], paths[paths.index(path) + self._max_to_keep :]
        unfinished = self._directory.glob(f"{UNFINISHED}{self._stage}-*")
        for needless in (*newer, *older, *unfinished):
            delete(needless)

    def read(self) -> tuple[int, int, dict[str, np.ndarray] | None]:
        """Returns epoch, step and values of the newest valid checkpoint, or zeros and None.

        Prints the name of each one that is not valid.
        """
        for path in self._paths():
            try:
                values = self._read(path)
            except Exception:  # NumPy and zipfile raise many kinds for damaged files
                print(f"{path} is damaged, or of another training, and is not used.")
                continue
            _, epoch, step = path.stem.rsplit("-", 2)
            return int(epoch), int(step), values
        return 0, 0, None

    def _read(self, path):
        if not path.is_file():  # a FIFO would be waited for
            raise ValueError("It is not a file.")
        whole = memoryview(path.read_bytes())
        content, checksum = whole[:-SIZE], whole[-SIZE:]
        if checksum != self._checksum(path, content):
            raise ValueError("It is not what was written.")
        with np.load(io.BytesIO(content)) as file:
            return {name: file[name] for name in file.files}

    def _checksum(self, path, content):
        digest = hashlib.sha256(f"{self._run}\n{path.stem}\n".encode())
        digest.update(content)
        return digest.digest()

    def _paths(self):
        """Returns the paths of the checkpoints, newest first."""
        number = "[0-9]" * 6 + "-" + "[0-9]" * 8
        return sorted(self._directory.glob(f"{self._stage}-{number}.npz"), reverse=True)
