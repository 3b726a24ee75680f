"""The lease on a trainer that nobody attends: it ends itself instead of holding a GPU for ever."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from ..errors import EXIT_FAILED

LONGEST_LOOK_SECONDS = 10.0


def _touched(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        # Not there (yet), or its disk does not answer: nobody is seen to attend.
        return None


def watch_lease(file: Path, seconds: float) -> threading.Thread:
    """Ends the process (`os._exit`, code 70) when `file` has not been touched for `seconds`, from now at the earliest.

    Whoever attends the training touches the file. The looks that found nothing new are counted instead of comparing
    with the clock: a clock that is set, or a machine that slept, must not end a training that is attended. No event
    is written, since a full pipe that nobody reads would block the very process that has to go.
    """
    interval = min(seconds / 4, LONGEST_LOOK_SECONDS)

    def watch() -> None:
        last, unattended = _touched(file), 0.0
        while unattended < seconds:
            time.sleep(interval)
            now = _touched(file)
            unattended = unattended + interval if now == last else 0.0
            last = now
        os._exit(EXIT_FAILED)

    thread = threading.Thread(target=watch, name="lease", daemon=True)
    thread.start()
    return thread
