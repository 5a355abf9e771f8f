"""Handles SIGTERM (sent on preemption) and SIGINT (Ctrl-C) while a run trains."""

import signal
import threading


class Stopped(Exception):
    """Training was saved and stopped because of a signal."""

    def __init__(self, signal_number: int, epoch: int, step: int):
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.signal_number, self.epoch, self.step = signal_number, epoch, step


class StopSignals:
    """A context that records SIGTERM and SIGINT.

    A second Ctrl-C ends the program at once. Outside the main thread, where Python delivers no
    signals, none are recorded.

    Attributes:
        received: the number of the last signal; 0 if there was none.

    Examples:
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
                self._handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_):
        self.release()

    def release(self) -> None:
        """Restores the earlier signal handlers."""
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def _receive(self, number, _):
        self.received = number
        if number == signal.SIGINT:
            self.release()
