"""Where a group's networks come from: a name in `models/`, a file, code, a pretrained backbone."""

from orc_keras import lazy

_PLACES = {"build": "sources", "check": "sources", "checksum": "sources"}
__all__ = list(_PLACES)
__getattr__ = lazy.attributes(__name__, _PLACES)
