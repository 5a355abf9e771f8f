"""The images: their sources, and the pipeline to the networks; imported on first use."""

import importlib

_PLACES = {
    "ImageData": "image_data",
    "PixelImages": "images",
    "held_out_batches": "pipeline",
    "held_out_files": "pipeline",
    "held_out_pixels": "pipeline",
    "load": "image_data",
    "normalise": "pipeline",
    "outlook": "image_data",
    "train_batches": "pipeline",
}
__all__ = list(_PLACES)


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
