"""Training of a stage: saves, continuation after interruptions, and signals."""
