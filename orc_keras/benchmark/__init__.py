"""What each member of a run costs on this machine, in each format: `orc-keras benchmark`."""
