"""The report of a run, one HTML page: `orc-keras report`."""
