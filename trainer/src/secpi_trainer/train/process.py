"""The trainer as a process: it outlives its worker, obeys signals, and says how it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from ..errors import EXIT_FINISHED, EXIT_PREEMPTED, TrainerError, is_out_of_memory
from ..protocol import write_line
from .config import read_config
from .control import Control, Preempted
from .lease import watch_lease


def train_process(config_file: Path, protocol: TextIO, guarded: Callable[[Callable[[], int]], int]) -> int:
    """Trains as the config says and returns the exit code, after the line `ended`.

    `guarded` runs the training and turns errors into events. Signals are obeyed before torch is imported, which
    takes seconds: a SIGTERM in that time ends the process in order.
    """
    started = time.monotonic()

    def leave() -> None:
        write_line(protocol, {"event": "ended", "exitCode": EXIT_PREEMPTED})
        # Not by an exception: imports and native code in between might swallow it.
        os._exit(EXIT_PREEMPTED)

    control = Control(leave)
    control.listen()
    exit_code = guarded(partial(_train, config_file, protocol, control, started))
    control.stop_listening()
    write_line(protocol, {"event": "ended", "exitCode": exit_code})
    return exit_code


def _train(config_file: Path, protocol: TextIO, control: Control, started: float) -> int:
    config = read_config(config_file)
    if config.lease_file is not None:
        watch_lease(config.lease_file, config.lease_seconds)
    try:
        from .run import train

        train(config, control, partial(write_line, protocol), import_seconds=time.monotonic() - started)
    except Preempted:
        return EXIT_PREEMPTED
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise TrainerError(
            "TRAINER_OUT_OF_MEMORY",
            f"Memory ran out: {str(error).splitlines()[0] if str(error) else 'no more could be allocated'}",
            "Lower microBatchRows or maxSequenceTokens, or turn gradientCheckpointing on; then resume.",
        ) from error
    return EXIT_FINISHED
