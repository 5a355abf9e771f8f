"""Wrong folders of images, and wrong files in them."""

import shutil

from attacks import pictures
from attacks.case import Case, step
from attacks.flag_cases import right_flags

KIND = "folders"
SMALL = {"dataset": "folder:images", "batch_size": "2", "image_size": "12"}
BAD = "images/train/dog/bad"  # and a suffix
# Python's own names of what is unprintable, which the sentence shows.
NAMES = (
    "a\nb",
    "\x1b[31mred",
    "\u202eright",
    "tab\tbed",
    "nul\x01",
    b"\xff\xfe".decode("utf-8", "surrogateescape"),
)


def _remove(place, path):
    shutil.rmtree(place / path)


def _empty(place, path):
    (place / path).mkdir(parents=True)


def _text(place, path):
    pictures.write(place, path, b"no image\n")


def _many_bad(place):
    for i in range(30):
        _text(place, f"images/train/dog/bad{i}.png")


# What is wrong with a whole folder: the damage, and what names it.
WRONG = {
    "no train/": ([step(_remove, "images/train")], ("train",)),
    "train/ is a file": ([step(_remove, "images/train"), step(_text, "images/train")], ("train",)),
    "val/ is a file": ([step(_remove, "images/val"), step(_text, "images/val")], ("val",)),
    "nothing held out": ([step(_remove, "images/val")], ("held-out", "val")),
    "an empty folder": ([step(_remove, "images/train"), step(_remove, "images/val")], ("images",)),
    "train/ is empty": ([step(_remove, "images/train"), step(_empty, "images/train")], ("train",)),
    "val/ is empty": ([step(_remove, "images/val"), step(_empty, "images/val")], ("cat", "val")),
    "one class": (
        [step(_remove, "images/train/dog"), step(_remove, "images/val/dog")],
        ("two classes", "train"),
    ),
    "an empty class": ([step(_empty, f"images/{s}/cow") for s in ("train", "val")], ("cow",)),
    "a class of text": (
        [step(_text, f"images/{split}/cow/cow.txt") for split in ("train", "val")],
        ("cow",),
    ),
    "a class in train/ only": ([step(_remove, "images/val/dog")], ("dog",)),
    "a class in val/ only": ([step(_remove, "images/train/cat")], ("cat", "two classes")),
    "a class written otherwise": (
        [step(pictures.rename, "images/val/dog", "images/val/Dog")],
        ("dog",),
    ),
    "an image outside the classes": (
        [step(pictures.rename, "images/train/dog/0.png", "images/train/0.png")],
        ("train/0.png",),
    ),
    "an image outside, held out": (
        [step(pictures.rename, "images/val/dog/0.png", "images/val/0.png")],
        ("val/0.png",),
    ),
    "a link to the class itself": (
        [step(pictures.link, "images/train/dog/more", ".")],
        ("dog/more",),
    ),
    "a link to the split": ([step(pictures.link, "images/train/dog/up", "..")], ("dog/up",)),
    "a class that is a link to its split": (
        [step(pictures.link, f"images/{split}/again", ".") for split in ("train", "val")],
        ("again",),
    ),
    "the folder is a loop": (
        [
            step(_remove, "images/train"),
            step(pictures.link, "images/train", "train"),
        ],
        ("train",),
    ),
    "many damaged images": ([step(_many_bad)], (("bad0.png", "27 more"),)),
    "a line break in a damaged image's name": (
        [step(_text, "images/train/dog/new\nline.png")],
        ("line.png",),
    ),
}
SAID = {
    "a link that is a loop": (
        [step(pictures.link, "images/train/dog/loop", "loop")],
        ("loop", "ignored files: 1"),
    ),
    "a class with a dot": ([step(pictures.folder, classes=(".owl",))], (".owl",)),
    "a class with a dot in train/": (
        [step(pictures.folder, splits=("train",), classes=(".owl",))],
        (".owl",),
    ),
    "a link to no image": (
        [step(pictures.link, "images/train/dog/gone.png", "nowhere.png")],
        ("gone.png", "ignored files: 1"),
    ),
    "a loop of links, named as an image": (
        [step(pictures.link, "images/train/dog/loop.png", "loop.png")],
        ("loop.png", "ignored files: 1"),
    ),
}
# Those of the first in which there may be a wrong file as well.
WITH_FILES = ("val/ is a file", "nothing held out", "val/ is empty", "an empty class")
FRACTIONS = ("0.001", "0.999", "0.1")
HEADERS = ((2**31 - 1, 2**31 - 1), (60000, 60000), (1, 2**31 - 1), (0, 12), (2**32 - 1, 1))


def pool(rng):
    """Returns cases of folders, of each kind of damaged file, and of both at once."""
    files = list(_files(rng))
    return [
        *(_case(title, *of) for title, of in WRONG.items()),
        *(_case(title, *of, expected="said", stop="fit") for title, of in SAID.items()),
        *(_class_name(name) for name in NAMES),
        *files,
        *(_fraction(fraction) for fraction in FRACTIONS),
        *_large(),
        *_both(rng, files),
    ]


def _files(rng):
    for suffix in pictures.SUFFIXES:
        for how in pictures.DAMAGES:
            for memory in ("4", "0"):
                yield _file(
                    f"{how}", pictures.damaged, suffix, how, rng.getrandbits(30), memory_gb=memory
                )
    for _ in range(10):
        yield _file("a flipped bit", pictures.flipped_png, "png", rng.getrandbits(30))
    for kind in pictures.OTHER_KINDS:
        yield _file(kind, pictures.other_kind, rng.choice(pictures.SUFFIXES), kind)
    for width, height in HEADERS:
        yield _file(f"{width} x {height}", pictures.huge_header, "png", width, height)
    for kind in pictures.SPEAKING:
        suffix = "png" if "PNG" in kind else "jpg"
        yield _file(kind, pictures.speaking, suffix, kind, expected="any")


def _file(title, write, suffix, *arguments, memory_gb="4", expected="refused"):
    """A case of one wrong file; `write` is called with its path and the arguments."""
    path = f"{BAD}.{suffix}"
    damage = [step(write, path, *arguments)]
    title = f"bad.{suffix}: {title}" + (", not in memory" if memory_gb == "0" else "")
    return _case(title, damage, (f"bad.{suffix}",), expected=expected, memory_gb=memory_gb)


def _large():
    for size, suffix, expected in (
        (10_000, "png", "accepted"),
        (10_000, "jpg", "accepted"),
        (20_000, "png", "any"),
    ):
        path = f"{BAD}.{suffix}"
        damage = [step(pictures.large, path, size)]
        yield _case(f"{size} x {size}, {suffix}", damage, (path,), expected=expected, seconds=60)


def _class_name(name):
    damage = [
        step(pictures.rename, f"images/{s}/dog", f"images/{s}/{name}") for s in ("train", "val")
    ]
    return _case(f"a class {name!r}", damage, ("cannot be printed",))


def _fraction(fraction):
    damage = [step(_remove, "images/val")]
    if fraction == "0.1":  # of a class that has one image only
        damage += [
            step(_remove, "images/train/dog"),
            step(
                pictures.write, "images/train/dog/0.png", pictures.encoded(pictures.noise(1), "png")
            ),
        ]
    return _case(
        f"validation_fraction={fraction}",
        damage,
        ("validation_fraction",),
        validation_fraction=fraction,
    )


def _both(rng, files):
    """A wrong folder with a wrong file in it; it is right to name either."""
    for case in rng.sample([case for case in files if case.expected == "refused"], 12):
        title = rng.choice(WITH_FILES)
        damage, names = WRONG[title]
        yield _case(f"{title}; {case.title}", (*damage, *case.damage), (*names, *case.names))


def _case(title, damage, names, expected="refused", stop="prepare", seconds=20, **flags):
    return Case(
        KIND,
        title,
        "train",
        right_flags(**SMALL, **flags),
        names,
        files=(step(pictures.folder),),
        damage=tuple(damage),
        expected=expected,
        stop=stop,
        seconds=seconds,
    )
