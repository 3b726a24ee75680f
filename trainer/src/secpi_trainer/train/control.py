"""What may interrupt a training: a request to save, or notice that the machine is taken away."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


class Preempted(Exception):
    """The process was told to go and has saved what there was to save."""


class Control:
    """SIGUSR1 (save) and SIGTERM (save and leave), honoured at the end of a step.

    Plain attributes instead of `threading.Event`: a handler runs between two bytecodes of the main thread, which may
    hold the event's lock just then.
    """

    def __init__(self, leave: Callable[[], None] | None = None) -> None:
        """`leave` ends the process at once; without it a SIGTERM outside the steps raises `Preempted`."""
        self._leave = leave
        self._saves_asked = 0
        self._saves_taken = 0
        self._stopping = False
        self._in_steps = False
        self._listening = False

    def listen(self) -> None:
        """Installs the handlers; in the main thread only."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(signal.SIGUSR1, self._on_sigusr1)
        self._listening = True

    def stop_listening(self) -> None:
        """From here on the ending is decided: a later signal must not change what the last lines say."""
        if self._listening:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def _on_sigusr1(self, _signal: int, _frame: FrameType | None) -> None:
        self._saves_asked += 1

    def _on_sigterm(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if not self._in_steps:
            self._go()

    def _go(self) -> None:
        if self._leave is not None:
            self._leave()
        raise Preempted

    def begin_steps(self) -> None:
        """From here on SIGTERM waits for the end of the step and its save; before, there is nothing new to save."""
        self._in_steps = True

    def end_steps(self) -> None:
        """Leaves if SIGTERM has come; from here on it ends the process at once again."""
        self._in_steps = False
        if self._stopping:
            self._go()

    def raise_if_stopping(self) -> None:
        """For work between two steps that a SIGTERM shall cut short."""
        if self._stopping:
            raise Preempted

    @property
    def stopping(self) -> bool:
        return self._stopping

    def take_save_request(self) -> bool:
        """True once after any number of requests."""
        asked = self._saves_asked
        requested = asked != self._saves_taken
        self._saves_taken = asked
        return requested
