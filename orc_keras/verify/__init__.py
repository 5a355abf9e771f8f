"""Bundles: what a stranger needs to verify a run: `python -m orc_keras.verify`."""
