"""What each member costs on a device, in each format: `python -m orc_keras.benchmark`."""
