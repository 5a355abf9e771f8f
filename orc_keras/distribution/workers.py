"""Communication between the processes of a run on several machines."""

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class Workers:
    """The processes ("workers") of a run; each has this object, even if it is the only one.

    Communication is collective: all workers must call a method at the same point of the program,
    and it returns once all have.

    Args:
        strategy: the run's `tf.distribute.Strategy`.

    Attributes:
        index: this worker's; the chief's is 0.
        number: of workers.

    Examples:
        >>> workers = Workers(tf.distribute.get_strategy())
        >>> workers.broadcast("a word"), workers.gather(7)
        ('a word', [7])
    """

    def __init__(self, strategy: Any):
        self._strategy = strategy
        addresses, self.index = machines(strategy.cluster_resolver)
        self.number = len(addresses) or 1
        self._is_own = np.arange(self.number) == self.index
        self._sum = tf.function(self._sum_over_workers, [tf.TensorSpec([None], tf.int32)])

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the run's directory and prints."""
        return self.index == 0

    @contextlib.contextmanager
    def only_chief_prints(self) -> Iterator[None]:
        """Silences the standard output of the other workers, after a line that says so."""
        if self.is_chief:
            yield
            return
        line = f"Worker {self.index} of {self.number} trains; the chief prints the progress."
        print(line, flush=True)  # before what is said on standard error
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            yield

    def max(self, number: int) -> int:
        """Returns the largest of the workers' numbers, none of them negative."""
        return int(max(self._vector(number))) if self.number > 1 else number

    def gather(self, value: Any) -> list:
        """Returns all workers' values, in order; any objects that can be pickled."""
        if self.number == 1:
            return [value]
        data = pickle.dumps(value)
        data += bytes(-len(data) % 4)  # to whole int32; pickle ignores what follows
        ends = np.cumsum(self._vector(len(data) // 4))
        everything = np.zeros(ends[-1], np.int32)
        np.split(everything, ends[:-1])[self.index][:] = np.frombuffer(data, np.int32)
        everything = self._sum(everything).numpy()
        return [pickle.loads(values.tobytes()) for values in np.split(everything, ends[:-1])]

    def broadcast(self, value: Any) -> Any:
        """Returns the chief's value."""
        return self.gather(value)[0]

    def run_on_all(self, function: Callable[[], Any]) -> Any:
        """Calls a function on each worker, and returns its result; if one fails, all raise.

        Raises:
            ValueError: if the function raises it, or OSError, on any worker.
        """
        result = problem = None
        try:
            result = function()
        except (ValueError, OSError) as error:
            problem = str(error)
        problems = list(filter(None, self.gather(problem)))
        if problems:
            self.barrier()
            raise ValueError(problems[0])
        return result

    def barrier(self) -> None:
        """Waits until each may exit: all have received the last message, or are gone already."""
        with contextlib.suppress(*_LOST):
            self.max(0)

    def _vector(self, number):
        """Returns each worker's number."""
        return self._sum(np.where(self._is_own, number, 0).astype(np.int32)).numpy()

    def _sum_over_workers(self, numbers):
        replicas_per_worker = self._strategy.num_replicas_in_sync // self.number

        def of_replica(numbers):
            context = tf.distribute.get_replica_context()
            is_first = context.replica_id_in_sync_group % replicas_per_worker == 0
            numbers = tf.where(is_first, numbers, 0)  # count each worker once
            return context.all_reduce(tf.distribute.ReduceOp.SUM, numbers)

        total = self._strategy.run(of_replica, (numbers,))
        return self._strategy.experimental_local_results(total)[0]


def is_lost_worker(error: Exception) -> bool:
    """Whether a TensorFlow error means that another worker cannot be reached."""
    return isinstance(error, _LOST) and bool(os.environ.get("TF_CONFIG"))


def machines(resolver: Any) -> tuple[list[str], int]:
    """Returns the machines of a cluster, the chief first, and the index of this one among them.

    Args:
        resolver: a `tf.distribute.cluster_resolver.ClusterResolver`; None: there is no cluster.
    """
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    addresses = [*cluster.get("chief", []), *cluster.get("worker", [])]
    if not addresses:
        return [], 0
    return addresses, addresses.index(cluster[resolver.task_type][resolver.task_id])
