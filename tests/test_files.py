"""A file is written whole or not at all."""

import os
import tempfile

import pytest

from orc_keras.files import UNFINISHED, without_patterns, write_text

TEXT = "figures\n" * 10**4


@pytest.mark.parametrize("name", ["new", "old", "ö" * 125 + ".json"])  # of 255 bytes at most
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, name):
    (tmp_path / "old").write_text("earlier figures")
    (tmp_path / "unfinished-new").write_text("of the user")
    file = tmp_path / name
    earlier = file.exists()
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "fsync", lambda _: os.write(os.open("/dev/full", os.O_WRONLY), b"x"))
        with pytest.raises(OSError, match=f"No space left on device: '{file}'"):
            write_text(file, TEXT)
    assert file.exists() == earlier
    assert not earlier or file.read_text() == "earlier figures"
    write_text(file, TEXT)
    assert file.read_text() == TEXT
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))
    assert (tmp_path / "unfinished-new").read_text() == "of the user"


@pytest.mark.parametrize(("name", "is_same"), [("run 1", True), ("run[1]", False), ("a*", False)])
def test_only_what_is_a_pattern_gets_another_path(tmp_path, monkeypatch, name, is_same):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "plain" if not is_same else "none"))
    (tmp_path / "plain").mkdir()
    with without_patterns(tmp_path / name) as plain:
        assert (plain == str(tmp_path / name)) == is_same
        assert os.path.realpath(plain) == str(tmp_path / name)
