"""The kinds of sources of a network, told from its text; nothing heavy is imported."""

import re
from pathlib import Path

RAW = "raw:"  # before a file: the network takes pixels from 0 to 255
FEATURES = "features:"  # before a file: the network gets a new last layer
FILE = ".keras"
PRETRAINED = ("applications", "hub")


def kind_of(source):
    """Returns what a source is.

    Args:
        source: a text as for `sources.build`.

    Returns:
        "name", one in `models/`; "file"; "features", a file whose last layer becomes another;
        "pretrained", of Keras Applications or KerasHub; or "code".

    Example:

    >>> [kind_of(each) for each in ("resnet20", "raw:teacher.keras", "my_networks:tiny")]
    ['name', 'file', 'code']
    """
    if source.endswith(FILE) or source.startswith((RAW, FEATURES)):
        return "features" if source.startswith(FEATURES) else "file"
    before, colon, _ = source.partition(":")
    if colon:
        return "pretrained" if before in PRETRAINED else "code"
    return "name"


def name_of(source):
    """Returns the name that a network from a source gets.

    Example:

    >>> [name_of(each) for each in ("runs/a/teacher.keras", "applications:MobileNetV2")]
    ['teacher', 'mobilenetv2']
    """
    kind = kind_of(source)
    if kind == "name":
        return source
    if kind in ("file", "features"):
        name = Path(path_of(source)).stem
    elif kind == "code":
        name = source.rpartition(":")[2]
    else:
        name = Path(source.partition(":")[2]).name.lower()
    return re.sub(r"\W+", "_", name)


def path_of(source):
    """Returns the path in the source of a file."""
    return str(Path(source.removeprefix(RAW).removeprefix(FEATURES)).expanduser())
