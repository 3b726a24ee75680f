"""What may interrupt a training: a request to save, or notice that the machine is taken away."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Preempted(Exception):
    """The process was told to go, outside the step loop: nothing newer than the last checkpoint is to be saved."""


class Control:
    """Requests from signals and stdin, honoured by the training loop at the end of a step."""

    def __init__(self) -> None:
        self._save = threading.Event()
        self._stop = threading.Event()

    def listen_for_sigterm(self) -> None:
        """SIGTERM means: save at the end of this step, then leave."""

        def on_sigterm(_signal: int, _frame: FrameType | None) -> None:
            self._stop.set()

        signal.signal(signal.SIGTERM, on_sigterm)

    def on_command(self, command: str) -> None:
        """Handles one command from stdin; unknown ones are ignored, so that an older trainer can be driven."""
        if command == "checkpoint":
            self._save.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def take_save_request(self) -> bool:
        """True once per request."""
        requested = self._save.is_set()
        self._save.clear()
        return requested

    def leave_if_stopping(self) -> None:
        """Raises `Preempted` after SIGTERM; for the phases that have no step to finish."""
        if self.stopping:
            raise Preempted
