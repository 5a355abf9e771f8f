"""Trains a group: python train.py --flagfile=configs/digits.flags"""

import sys

from orc_keras import command_line
from orc_keras.commands import train

if __name__ == "__main__":
    command_line.run(train, sys.argv[1:], "train.py")
