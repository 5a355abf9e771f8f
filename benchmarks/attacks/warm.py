"""What the process that is forked for each case has imported, and nothing computed."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # as the programs do themselves

from orc_keras import startup

startup.quietly()

import sklearn.datasets
import sklearn.model_selection
import tensorflow_datasets

import orc_keras
import orc_keras.compare.plots
import orc_keras.compare.running
import orc_keras.compare.tables
import orc_keras.experiment
import orc_keras.settings
from attacks import grammar, judging, small

__all__ = ["grammar", "judging", "orc_keras", "sklearn", "small", "tensorflow_datasets"]
