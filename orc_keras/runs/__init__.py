"""The directory of a run: file names, writing, reading."""
