"""SIGTERM, which a preempted machine gets, and SIGINT (Ctrl-C), while a run trains."""

import signal
import threading


class Stopped(Exception):
    """Training has been saved and ended, because a signal asked for it."""

    def __init__(self, signal_number, epoch, step):
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number, self.epoch, self.step = signal_number, epoch, step


class StopSignals:
    """Notes the signals that ask for an end, for as long as its context lasts.

    A second Ctrl-C ends the program at once. Outside of the main thread, where Python hands out no
    signals, nothing is noted.

    Attributes:
        received: the number of the last signal, 0 if there was none.

    Example:

    >>> with StopSignals() as signals:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     signals.received == signal.SIGTERM
    True
    """

    def __init__(self):
        self.received = 0
        self._handlers = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_):
        self.release()

    def release(self):
        """Gives the signals back to whom they belonged before."""
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def _note(self, number, _):
        self.received = number
        if number == signal.SIGINT:
            self.release()
