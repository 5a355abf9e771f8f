"""train.py with tiny networks, as a program."""

import sys

import tiny_run

if __name__ == "__main__":
    tiny_run.make_tiny()
    from orc_keras import command_line
    from orc_keras.commands import train

    command_line.run(train, sys.argv[1:], "train.py")
