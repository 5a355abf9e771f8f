"""Export of networks for deployment: `python -m orc_keras.export`."""

CALIBRATION_IMAGES = 500  # by default, for 8 bits
