"""Compares methods on the same data, members and seeds: `python -m orc_keras.compare`."""
