"""The directory of a run: names, writing, reading."""
