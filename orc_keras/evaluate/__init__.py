"""Evaluation of trained networks: `orc-keras evaluate`."""
