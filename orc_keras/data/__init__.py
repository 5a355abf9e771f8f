"""The images: their sources, and the pipeline to the networks."""

from orc_keras.data.image_data import ImageData
from orc_keras.data.images import PixelImages
from orc_keras.data.loading import dataset_size, load
from orc_keras.data.pipeline import (
    held_out_batches,
    held_out_pixels,
    train_batches,
)
from orc_keras.data.preprocessing import Preprocessing, normalise

__all__ = [
    "ImageData",
    "PixelImages",
    "Preprocessing",
    "dataset_size",
    "held_out_batches",
    "held_out_pixels",
    "load",
    "normalise",
    "train_batches",
]
