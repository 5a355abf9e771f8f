"""Names of a package that are imported on first use, because what they need is heavy."""

import importlib


def attributes(package, places):
    """Returns the `__getattr__` of a package.

    Args:
        package: its name.
        places: for each of its public names the module in it that has it.
    """

    def get(name):
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{places[name]}"), name)

    return get
