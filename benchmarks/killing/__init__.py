"""What killed_run.py consists of: starting, watching, killing and comparing runs."""
