"""What the processes of a run on several machines tell each other."""

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
    """The processes ("workers") of a run, of which each has this object; a single one too.

    What is said here is said by all of them at the same point of the program: each method returns
    when every worker has called it.

    Args:
        strategy: the run's `tf.distribute.Strategy`.

    Attributes:
        index: of this worker, the chief's is 0.
        number: of workers.
        replicas: of each worker.

    Example:

    >>> workers = Workers(tf.distribute.get_strategy())
    >>> workers.from_chief("a word"), workers.gather(7)
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
        """Whether this is the worker that writes the run's directory, and speaks."""
        return self.index == 0

    @contextlib.contextmanager
    def chief_speaking(self):
        """Silences standard output on all workers but the chief, after a line that says so."""
        if self.is_chief:
            yield
            return
        print(f"Worker {self.index} of {self.number} trains along; the chief says how it goes.")
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            yield

    def sum(self, numbers):
        """Adds up vectors of integers, of the same length from each worker."""
        return numbers if self.number == 1 else self._sum_function(numbers.astype(np.int32)).numpy()

    def largest(self, number):
        """Returns the largest of the workers' whole numbers."""
        return int(max(self.sum(np.where(np.arange(self.number) == self.index, number, 0))))

    def from_chief(self, value):
        """Returns the chief's value, whatever Python object it is."""
        if self.number == 1:
            return value
        data = pickle.dumps(value) if self.is_chief else b""
        (size,) = self.sum(np.array([len(data)]))
        return pickle.loads(self.sum(_as_numbers(data, size)).tobytes())

    def gather(self, value):
        """Returns each worker's value, in the order of the workers."""
        if self.number == 1:
            return [value]
        data, own = pickle.dumps(value), np.arange(self.number) == self.index
        sizes = self.sum(np.where(own, len(data), 0))
        parts = [_as_numbers(data if its else b"", size) for its, size in zip(own, sizes)]
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return [pickle.loads(x.tobytes()) for x in np.split(self.sum(np.concatenate(parts)), ends)]

    def together(self, function):
        """Calls a function on each worker; what is wrong on one of them is raised by all.

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
            self.part()
            raise ValueError(problems[0])
        return result

    def part(self):
        """Waits until all workers have heard what was said last; then each may end.

        One that ended at once could be gone while another still receives it. If one is gone now,
        nothing is missed any more.
        """
        with contextlib.suppress(*_LOST):
            self.largest(0)

    def _sum_of(self, numbers):
        def of_replica(numbers):
            context = tf.distribute.get_replica_context()
            is_first = context.replica_id_in_sync_group % self.replicas == 0
            numbers = tf.where(is_first, numbers, 0)  # one of each worker's replicas speaks
            return context.all_reduce(tf.distribute.ReduceOp.SUM, numbers)

        total = self._strategy.run(of_replica, (numbers,))
        return self._strategy.experimental_local_results(total)[0]


def lost_one(error):
    """Whether an error of TensorFlow's says that another worker can no longer be reached."""
    return isinstance(error, _LOST) and bool(os.environ.get("TF_CONFIG"))


def addresses(strategy):
    """Returns the machines that a strategy trains on, the chief first; of this one alone, None."""
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver else {}
    return [*cluster.get("chief", []), *cluster.get("worker", [])] or [None]


def _index(strategy):
    resolver = strategy.cluster_resolver
    chiefs = resolver.cluster_spec().as_dict().get("chief", [])
    return resolver.task_id + (len(chiefs) if resolver.task_type == "worker" else 0)


def _as_numbers(data, size):
    """The bytes as integers, for `size` bytes; zeros if it is another worker that has them."""
    return np.frombuffer(data.ljust(-(-size // 4) * 4, b"\0"), np.int32)
