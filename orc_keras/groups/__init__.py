"""The training methods for a group of networks, and their parts."""
