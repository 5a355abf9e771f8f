"""Export of networks for deployment: `orc-keras export`."""

AT_THE_END = ("saved_model", "keras", "tflite")  # of a run: seconds, and no more packages
CALIBRATION_IMAGES = 500  # by default, for 8 bits
