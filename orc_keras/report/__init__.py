"""The report of a run, one HTML page: `python -m orc_keras.report`."""
