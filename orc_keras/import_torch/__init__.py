"""Published PyTorch checkpoints as `.keras` files."""
