"""What happened in a run, as one HTML page: `python -m orc_keras.report`."""
