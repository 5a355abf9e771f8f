"""Images to learn from: where they come from, and how they reach the networks."""

from orc_keras.data import pipeline
from orc_keras.data.pipeline import normalise, test_batches, train_batches
from orc_keras.data.sources import ImageData, load
