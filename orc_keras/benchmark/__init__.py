"""What each member costs on a device, in each format: `orc-keras benchmark`."""
