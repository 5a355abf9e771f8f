"""Images to learn from: where they come from, and how they reach the networks."""

from orc_keras.data.pipeline import normalise, shift_and_flip, test_batches, train_batches
from orc_keras.data.sources import ImageData, load

__all__ = ["ImageData", "load", "normalise", "shift_and_flip", "test_batches", "train_batches"]
