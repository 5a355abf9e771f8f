"""Evaluation of trained networks: `python -m orc_keras.evaluate`."""
