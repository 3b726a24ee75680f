"""The line protocol: JSON events out on stdout, JSON commands in on stdin."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

from .errors import EXIT_FAILED

_write_lock = threading.Lock()


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
    """Writes one event. Floats keep full precision (`repr`), so equal text means equal bits."""
    text = json.dumps(_finite(event), ensure_ascii=False, allow_nan=False)
    with _write_lock:
        stream.write(text + "\n")
        stream.flush()


def watch_stdin(on_command: Callable[[str], None]) -> threading.Thread:
    """Reads commands until stdin closes. A closed stdin means that the parent is gone: the process ends at once.

    `os._exit` because nobody is left to read a result, and a clean shutdown could hang in native code.
    """

    def read() -> None:
        for line in sys.stdin:
            try:
                message = json.loads(line)
            except json.JSONDecodeError:
                print(f"ignored a line on stdin that is not JSON ({len(line)} characters)", file=sys.stderr)
                continue
            on_command(str(message.get("command")) if isinstance(message, dict) else "")
        os._exit(EXIT_FAILED)

    thread = threading.Thread(target=read, name="stdin", daemon=True)
    thread.start()
    return thread
