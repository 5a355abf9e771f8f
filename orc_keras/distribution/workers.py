"""Communication between the processes of a run on several machines."""

import contextlib
import os
import pickle

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
        replicas: of each worker.

    Example:

    >>> workers = Workers(tf.distribute.get_strategy())
    >>> workers.broadcast("a word"), workers.gather(7)
    ('a word', [7])
    """

    def __init__(self, strategy):
        self._strategy = strategy
        self.number = len(addresses(strategy))
        self.index = _index(strategy) if self.number > 1 else 0
        self.replicas = strategy.num_replicas_in_sync // self.number
        self._sum_function = tf.function(self._sum_of, [tf.TensorSpec([None], tf.int32)])

    @property
    def is_chief(self):
        """Whether this worker writes the run's directory and prints."""
        return self.index == 0

    @contextlib.contextmanager
    def chief_speaking(self):
        """Silences the standard output of all workers but the chief, after a line that says so."""
        if self.is_chief:
            yield
            return
        print(f"Worker {self.index} of {self.number} trains along; the chief says how it goes.")
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            yield

    def sum(self, numbers):
        """Returns the sum of the workers' integer vectors, which have the same length."""
        return numbers if self.number == 1 else self._sum_function(numbers.astype(np.int32)).numpy()

    def largest(self, number):
        """Returns the largest of the workers' whole numbers."""
        return int(max(self.sum(np.where(np.arange(self.number) == self.index, number, 0))))

    def broadcast(self, value):
        """Returns the chief's value, any object that can be pickled."""
        if self.number == 1:
            return value
        data = pickle.dumps(value) if self.is_chief else b""
        (size,) = self.sum(np.array([len(data)]))
        return pickle.loads(self.sum(_as_numbers(data, size)).tobytes())

    def gather(self, value):
        """Returns the list of all workers' values, in order."""
        if self.number == 1:
            return [value]
        data, own = pickle.dumps(value), np.arange(self.number) == self.index
        sizes = self.sum(np.where(own, len(data), 0))
        parts = [_as_numbers(data if its else b"", size) for its, size in zip(own, sizes)]
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return [pickle.loads(x.tobytes()) for x in np.split(self.sum(np.concatenate(parts)), ends)]

    def run_on_all(self, function):
        """Calls a function on each worker; if it fails on one, all raise the error.

        Raises:
            ValueError: if the function raises it, or OSError, on any worker.
        """
        result, problem = None, ""
        try:
            result = function()
        except (ValueError, OSError) as error:
            problem = str(error)
        problems = list(filter(None, self.gather(problem)))
        if problems:
            self.barrier()
            raise ValueError(problems[0])
        return result

    def barrier(self):
        """Waits until all workers have received the last message, so that each may exit.

        A worker that exits earlier could be gone while another still receives from it. One that is
        already gone is ignored.
        """
        with contextlib.suppress(*_LOST):
            self.largest(0)

    def _sum_of(self, numbers):
        def of_replica(numbers):
            context = tf.distribute.get_replica_context()
            is_first = context.replica_id_in_sync_group % self.replicas == 0
            numbers = tf.where(is_first, numbers, 0)  # count each worker once
            return context.all_reduce(tf.distribute.ReduceOp.SUM, numbers)

        total = self._strategy.run(of_replica, (numbers,))
        return self._strategy.experimental_local_results(total)[0]


def lost_one(error):
    """Whether a TensorFlow error means that another worker cannot be reached."""
    return isinstance(error, _LOST) and bool(os.environ.get("TF_CONFIG"))


def addresses(strategy):
    """Returns the machines of a strategy, the chief first; `[None]` for this machine alone."""
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    return [*cluster.get("chief", []), *cluster.get("worker", [])] or [None]


def _index(strategy):
    resolver = strategy.cluster_resolver
    chiefs = resolver.cluster_spec().as_dict().get("chief", [])
    return resolver.task_id + (len(chiefs) if resolver.task_type == "worker" else 0)


def _as_numbers(data, size):
    """Returns bytes as integers, padded to `size` bytes; zeros if another worker has them."""
    return np.frombuffer(data.ljust(-(-size // 4) * 4, b"\0"), np.int32)
