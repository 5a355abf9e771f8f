"""Wrong flagfiles, of every program that takes them."""

import codecs

from attacks import pictures, runs
from attacks.case import Case, step

KIND = "flagfiles"
FLAGS = "".join(f"{flag}\n" for flag in (*runs.FLAGS, runs.OUTPUT))
NAMED = ("flags.txt", "flagfile")
# Contents of the file, and what names them. None: there is no file; "/": it is a directory.
CONTENTS = {
    "missing": (None, NAMED),
    "a directory": ("/", NAMED),
    "binary": (bytes(range(256)) * 4, NAMED),
    "in UTF-16": (codecs.BOM_UTF16 + FLAGS.encode("utf-16-le"), NAMED),
    "in UTF-16 without a mark": (FLAGS.encode("utf-16-le"), NAMED),
    "in Latin-1": (FLAGS.encode() + "--output_dir=Läufe\n".encode("latin-1"), NAMED),
    "zeros": (bytes(100), NAMED),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(200)), NAMED),
    "an unknown flag": (FLAGS + "\n\n--epoch=3\n", ("epoch",)),
    "a value out of range": (FLAGS + "\n--keep=0\n", ("keep",)),
    "a value of the wrong type": (FLAGS + "--keep=two\n", ("keep",)),
    "no dashes": (FLAGS + "keep=3\n", ("keep=3",)),
    "a space for =": (FLAGS + "--keep 3\n", ("keep",)),
    "a comment behind a flag": (FLAGS + "--keep=3 # saves\n", ("keep",)),
    "quotes": (FLAGS + '--pivot="resnet8"\n', ("pivot",)),
    "a comma at the end": (FLAGS + "--students=resnet8,resnet8,\n", ("students",)),
    "JSON": ('{"epochs": 3}\n', ('{"epochs": 3}', *NAMED)),
    "YAML": ("epochs: 3\npivot: resnet8\n", ("epochs: 3", *NAMED)),
    "a nested one that is missing": (FLAGS + "--flagfile=other.txt\n", ("other.txt",)),
    "a nested directory": (FLAGS + "--flagfile=.\n", ("flagfile", ".")),
}
SAID = {"one that includes itself": FLAGS + "--flagfile=flags.txt\n"}
OTHERS = {
    "evaluate": ("--run=run",),
    "export": ("--run=run", "--member=resnet8"),
    "predict": ("--saved_model=run/student", "photo.png"),
    "report": ("run",),
    "compare": runs.COMPARISON,
}
OF_ALL = ("missing", "a directory", "binary", "in UTF-16", "zeros")


def pool(rng):
    """Returns a case for each kind of contents, of train.py, and some of every other program."""
    return [
        *(_case(title, *of) for title, of in CONTENTS.items()),
        *(_case(title, text, NAMED, expected="said") for title, text in SAID.items()),
        *(
            _case(title, *CONTENTS[title], program, arguments)
            for program, arguments in OTHERS.items()
            for title in OF_ALL
        ),
    ]


def _case(title, contents, names, program="train", others=(), **options):
    arguments = ("--flagfile=flags.txt", *others)
    files = () if program == "train" else (step(runs.copy, "finished"), step(_photo))
    files += () if contents is None else (step(_write, contents),)
    return Case(KIND, f"{program}: {title}", program, arguments, names, files=files, **options)


def _photo(place):
    pictures.write(place, "photo.png", pictures.encoded(pictures.noise(1, 8, 1), "png"))


def _write(place, contents):
    path = place / "flags.txt"
    if contents == "/":
        path.mkdir()
    else:
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
