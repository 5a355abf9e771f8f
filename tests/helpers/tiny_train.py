"""train.py with tiny networks, as a program."""

import tiny_run

if __name__ == "__main__":
    tiny_run.make_tiny()
    from orc_keras import command_line, train

    command_line.start(train.main, "train.py")
