"""The images: their sources, and the pipeline to the networks."""

from orc_keras.data.image_data import ImageData, load, outlook
from orc_keras.data.images import PixelImages
from orc_keras.data.pipeline import (
    held_out_batches,
    held_out_files,
    held_out_pixels,
    normalise,
    train_batches,
)

__all__ = [
    "ImageData",
    "PixelImages",
    "held_out_batches",
    "held_out_files",
    "held_out_pixels",
    "load",
    "normalise",
    "outlook",
    "train_batches",
]
