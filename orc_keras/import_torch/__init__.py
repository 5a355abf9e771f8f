"""Published PyTorch checkpoints as networks of `models/`."""

from orc_keras.import_torch.checkpoint import convert

__all__ = ["convert"]
