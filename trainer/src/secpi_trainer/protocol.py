"""The line protocol: JSON events out on stdout; the server's life ends with its stdin."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from typing import Any, TextIO

from .errors import EXIT_FAILED

_write_lock = threading.RLock()


def _finite(value: Any) -> Any:
    # JSON has no NaN; a reader in another language would reject the whole line.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def write_line(stream: TextIO, event: dict[str, Any]) -> None:
    """Writes one event. Floats keep full precision (`repr`), so equal text means equal bits.

    One system call per line, below Python's buffers: what a signal's handler writes lies between two lines.
    """
    line = memoryview((json.dumps(_finite(event), ensure_ascii=False, allow_nan=False) + "\n").encode())
    with _write_lock:
        while line:
            line = line[os.write(stream.fileno(), line) :]


def end_with_stdin() -> threading.Thread:
    """A closed stdin means that the parent is gone: the process ends at once.

    `os._exit` because nobody is left to read a result, and a clean shutdown could hang in native code.
    """

    def read() -> None:
        for _ in sys.stdin:
            pass
        os._exit(EXIT_FAILED)

    thread = threading.Thread(target=read, name="stdin", daemon=True)
    thread.start()
    return thread
