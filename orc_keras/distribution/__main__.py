"""Prints the TF_CONFIG of a machine: python -m orc_keras.distribution --hosts=first,second

For the shell, on each machine: export TF_CONFIG=$(python -m orc_keras.distribution --hosts=...).
Which of the hosts it is, the machine's name says, or --index, or in an indexed Job of Kubernetes
its JOB_COMPLETION_INDEX.
"""

import json
import os
import re
import socket
import sys

from absl import flags

from orc_keras import command_line

ADDRESS = re.compile(r"[^:\[\]\s]+:\d+|\[[\da-fA-F:]+\]:\d+")  # the latter: IPv6
NAME = command_line.name_of("orc_keras.distribution")


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{NAME}: {argv[1]!r} is not a flag; hosts stand in --hosts, with commas.")
    try:
        print(tf_config(flags.FLAGS.hosts, flags.FLAGS.port, flags.FLAGS.index))
    except ValueError as error:
        sys.exit(f"{NAME}: {error}")


def tf_config(hosts, port=12345, index=None):
    """Returns the value of TF_CONFIG for one of several machines, as JSON.

    Args:
        hosts: their names or addresses, the chief's first, each perhaps with `:port`.
        port: of those that have none.
        index: which of them it is; None: the one with this machine's name, or that of
            JOB_COMPLETION_INDEX in the environment.

    Raises:
        ValueError: if the hosts are not different ones, or this machine is none of them.

    Example:

    >>> tf_config(["first", "second:99"], index=1)
    '{"cluster": {"worker": ["first:12345", "second:99"]}, "task": {"type": "worker", "index": 1}}'
    """
    given = [host.strip().rpartition(":") for host in hosts]
    workers = [f"{h}:{p}" if h else f"{p}:{port}" for h, _, p in given]
    if not workers or len(set(workers)) < len(workers) or not all(map(ADDRESS.fullmatch, workers)):
        raise ValueError(f"--hosts must be different names of machines, not {','.join(hosts)!r}.")
    index = _own_index(workers) if index is None else index
    if not 0 <= index < len(workers):
        raise ValueError(f"--index must be 0 to {len(workers) - 1} for these hosts, not {index}.")
    cluster = {"worker": workers}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})


def _own_index(workers):
    if (given := os.environ.get("JOB_COMPLETION_INDEX", "")).isdigit():
        return int(given)
    here = {socket.gethostname(), socket.gethostname().partition(".")[0], socket.getfqdn()}
    own = [index for index, worker in enumerate(workers) if worker.rpartition(":")[0] in here]
    if len(own) != 1:
        raise ValueError(
            f"This machine, {socket.gethostname()}, is not one of the hosts by its name; say which "
            f"by --index=0 to {len(workers) - 1}."
        )
    return own[0]


def program():
    """Runs the program."""
    flags.DEFINE_list("hosts", None, "The machines, the chief first, with commas.", required=True)
    flags.DEFINE_integer(
        "port", 12345, "Where workers listen, unless a host has its own.", 1, 65535
    )
    flags.DEFINE_integer("index", None, "Which of the hosts this is; by default, by its name.", 0)
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
