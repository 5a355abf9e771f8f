"""Export of networks for deployment: `python -m orc_keras.export`."""
