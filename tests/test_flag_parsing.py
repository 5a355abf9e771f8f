"""Flagfiles: what stands in them, and those that are refused at once."""

import os

import pytest
from absl import flags
from helpers.flags import NEEDED, parse

from orc_keras import settings
from orc_keras.flag_parsing import set_flags


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_flags_stand_in_place_of_their_flagfile(folder):
    """Also where it names another one, of ours too, and where Windows wrote it."""
    first = "\ufeff# a group\r\n\r\n  --temperature=7\r\n--flagfile\r\nother.flags\r\n"
    (folder / "my.flags").write_bytes(first.encode())
    (folder / "other.flags").write_text("// the rest\n--flagfile=digits\n--batch_size=17")
    given = parse("--pivot_epochs=5", "--seed=5", "--flagfile=my.flags", "--seed=9")
    assert (given.dataset, given.temperature, given.batch_size) == ("digits", 7, 17)
    assert given.pivot_epochs != 5 and given.seed == 9  # a later flag wins


def test_two_flagfiles_may_name_the_same_third(folder):
    """The name of a folder may hold what Unicode takes for the end of a line."""
    (folder / "base").write_text("--epochs=7\n--seed=1")
    (folder / "a").write_text("--flagfile=base\n--temperature=7")
    (folder / "b").write_text("--flagfile=base\n--seed=2\n--data_dir=x\x85--overwrite")
    with pytest.raises(ValueError, match=r"--data_dir must be a printable text.*x\\x85--overwrite"):
        parse(*NEEDED, "--flagfile=a", "--flagfile=b")
    given = parse(*NEEDED, "--flagfile=a", "--flagfile=b", "--data_dir=")
    assert (given.temperature, given.epochs, given.seed) == (7, 7, 2)


def test_a_flag_is_not_the_value_of_another(folder):
    (folder / "cut.flags").write_text("--dataset=digits\n--students")
    with pytest.raises(ValueError, match="--students has no value: --epochs=9 follows it"):
        parse("--flagfile=cut.flags", "--epochs=9")


def test_what_follows_two_dashes_is_no_flag():
    values = flags.FlagValues()
    assert set_flags(values, ["a", "--", "--flagfile=b"]) == ["a", "--flagfile=b"]


FIFO, BOMB = "fifo", "bomb2"


@pytest.mark.parametrize(
    "name, message",
    [
        ("mine/digits.flags", "=mine/digits.flags is not a file, nor one of ours: cifar10, digits"),
        ("folder", "=folder is not a file, nor one of ours"),
        ("~nobody/my", "=~nobody/my is not a file, nor one of ours"),
        ("", "= is not a file, nor one of ours"),
        ("/dev/zero", "=/dev/zero is not a regular file; write its flags to one."),
        (FIFO, "=fifo is not a regular file"),
        (
            b"--epochs=7\n" * 10**5,
            "=given is not read: flagfiles name each other, .* longer than 1048576 bytes together",
        ),
        ("--epochs=7\n".encode("utf-16"), "must be a text in UTF-8"),
        (b"--output_dir=x  # mine\n", "has a comment behind a value, '--output_dir=x  # mine'"),
        (
            b"--flagfile=given",
            "=given is not read: flagfiles name each other, or are more than 1000",
        ),
        (BOMB, "=bomb0 is not read: flagfiles name each other, or are more than 1000"),
        ("a" * 5000, "a is not a file, nor one of ours"),
    ],
)
def test_flagfiles_that_are_refused(folder, name, message):
    os.mkfifo(folder / FIFO)
    for n in (1, 2):
        (folder / f"bomb{n}").write_text(f"--flagfile=bomb{n - 1}\n" * 40)
    (folder / "bomb0").write_text("--epochs=7\n")
    if isinstance(name, bytes):
        (folder / "given").write_bytes(name)
        name = "given"
    with pytest.raises(ValueError, match=message):
        parse(*NEEDED, f"--flagfile={name}")


def test_a_run_of_a_stranger_names_no_flagfile(folder):
    (folder / "my.flags").write_text("--epochs=7\n")
    for text in ("--flagfile=my.flags", "-flagfile\nmy.flags"):
        with pytest.raises(ValueError, match="flagfile.* cannot stand among settings"):
            settings.from_text(parse(*NEEDED).as_flags() + text)


def test_a_value_that_no_flagfile_can_hold():
    with pytest.raises(ValueError, match="--output_dir must be .* or before a #, not 'x # mine'"):
        parse(*NEEDED, "--output_dir=x # mine")
