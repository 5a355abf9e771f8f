"""Export of networks for deployment: `orc-keras export`."""

RUN_FORMATS = ("saved_model", "keras", "tflite")  # of a run: seconds, and no more packages
CALIBRATION_IMAGES = 500  # by default, for 8 bits
