"""train.py with tiny networks, as a program."""

import tiny_run
from absl import app

if __name__ == "__main__":
    tiny_run.make_tiny()
    import train

    app.run(train.main)
