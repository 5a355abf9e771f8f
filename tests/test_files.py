"""What a user names is written whole or not at all, whatever it is."""

import os
import tempfile

import pytest

from orc_keras.files import UNFINISHED, check_output, without_patterns, write_output

TEXT = "figures\n" * 10**4


@pytest.mark.parametrize("name", ["new", "old", "link", "dangling"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, name):
    (tmp_path / "old").write_text("earlier figures")
    (tmp_path / "link").symlink_to("old")
    (tmp_path / "dangling").symlink_to("new")
    (tmp_path / "unfinished-new").write_text("of the user")
    file = tmp_path / ("old" if name in ("old", "link") else "new")
    earlier, links = file.exists(), (tmp_path / name).is_symlink()
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "fsync", lambda _: os.write(os.open("/dev/full", os.O_WRONLY), b"x"))
        with pytest.raises(OSError, match=f"No space left on device: '{file}'"):
            write_output(str(tmp_path / name), TEXT)
    assert file.exists() == earlier
    assert not earlier or file.read_text() == "earlier figures"
    write_output(str(tmp_path / name), TEXT)
    assert file.read_text() == TEXT and (tmp_path / name).is_symlink() == links
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))
    assert (tmp_path / "unfinished-new").read_text() == "of the user"


def test_a_pipe_gets_the_text(tmp_path, capfd):
    """And one that nobody reads is not waited for."""
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="No such device or address"):
        write_output(fifo, "a")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    write_output(fifo, "a")
    assert os.read(reader, 9) == b"a"
    os.close(reader)
    for name in ("/dev/stdout", "/dev/fd/1", "/dev/stderr"):
        write_output(name, f"{name}\n")
    assert capfd.readouterr() == ("/dev/stdout\n/dev/fd/1\n", "/dev/stderr\n")
    with pytest.raises(OSError, match="No space left"):
        write_output("/dev/full", "a")


def test_outputs_that_cannot_be_made(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere" / "file"):
        with pytest.raises(
            ValueError, match="--json=.* is a folder, or in one that does not exist"
        ):
            check_output(str(path), "json")
    check_output("file", "json")


def test_the_longest_name(tmp_path):
    longest = tmp_path / ("ö" * 125 + ".json")  # 255 bytes
    check_output(str(longest), "json")
    write_output(str(longest), TEXT)
    assert longest.read_text() == TEXT and list(tmp_path.iterdir()) == [longest]


@pytest.mark.parametrize(("name", "is_same"), [("run 1", True), ("run[1]", False), ("a*", False)])
def test_only_what_is_a_pattern_gets_another_path(tmp_path, monkeypatch, name, is_same):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "plain" if not is_same else "none"))
    (tmp_path / "plain").mkdir()
    with without_patterns(tmp_path / name) as plain:
        assert (plain == str(tmp_path / name)) == is_same
        assert os.path.realpath(plain) == str(tmp_path / name)


def test_a_file_keeps_its_permissions(tmp_path):
    (tmp_path / "old").write_text("earlier figures")
    (tmp_path / "old").chmod(0o600)
    write_output(str(tmp_path / "old"), TEXT)
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["old", "."])
def test_what_cannot_be_written_is_refused_first(tmp_path, monkeypatch, place):
    (tmp_path / "old").write_text("earlier figures")
    wrong = os.path.realpath(tmp_path / place)
    monkeypatch.setattr(os, "access", lambda path, _: os.path.realpath(path) != wrong)  # root may
    with pytest.raises(ValueError, match="--json=.*/old cannot be written, or its folder"):
        check_output(str(tmp_path / "old"), "json")
    check_output("/dev/stdout", "json")
