"""How right networks are: `python -m orc_keras.evaluate`."""
