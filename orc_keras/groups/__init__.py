"""The training methods for a group of networks, and their parts."""

import importlib
import pkgutil

from orc_keras.groups import online_role_change  # noqa: F401  (stands first in METHODS)
from orc_keras.groups.registry import METHODS, method

__all__ = ["METHODS", "method"]

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)  # each method registers itself
