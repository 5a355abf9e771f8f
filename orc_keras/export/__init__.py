"""Networks as files that can be deployed: `python -m orc_keras.export`."""
