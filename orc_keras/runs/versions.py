"""The versions of what results depend on."""

import importlib.metadata
import platform
from collections.abc import Iterable

PACKAGES = ("tensorflow", "keras", "numpy")
RUNTIMES = ("ai-edge-litert", "onnxruntime")  # of exported files


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str | None]:
    """Returns the versions of Python and of packages, by name; None if one is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
