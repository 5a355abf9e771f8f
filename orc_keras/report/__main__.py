"""Writes the report of a run: python -m orc_keras.report <run> [<other run> ...]"""

import sys

from absl import app

from orc_keras import report, startup


def main(argv):
    startup.log_warnings_only()
    if len(argv) < 2:
        sys.exit("orc_keras.report: name the directory of a run, and others to compare it with.")
    try:
        print(f"Wrote {report.write(argv[1:])}.")
    except (ValueError, OSError) as error:
        sys.exit(f"orc_keras.report: {error}")


if __name__ == "__main__":
    app.run(main)
