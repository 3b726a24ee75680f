"""The trainer's life apart from its worker: signals before the first step, and the lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"


def _wait_for_handlers(pid: int) -> None:
    """Until the kernel shows that SIGTERM is handled."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.01)
    raise AssertionError("SIGTERM is not handled")


def test_sigterm_during_imports_ends_in_order(config_values: dict[str, Any], start_trainer: Any) -> None:
    trainer = start_trainer(config_values)
    _wait_for_handlers(trainer.popen.pid)
    trainer.signal(signal.SIGTERM)
    assert trainer.finish(timeout=10) == 75
    assert trainer.events == [{"event": "ended", "exitCode": 75}]


def test_a_trainer_that_nobody_attends_ends_itself(
    config_values: dict[str, Any], start_trainer: Any, tmp_path: Path
) -> None:
    lease = tmp_path / "lease"
    lease.touch()
    endless = {"epochs": 500, "checkpointEverySteps": 100_000, "leaseFile": str(lease), "leaseSeconds": 3}
    trainer = start_trainer({**config_values, **endless})
    attended = threading.Event()

    def attend() -> None:
        while not attended.wait(0.5):
            lease.touch()

    worker = threading.Thread(target=attend)
    worker.start()
    trainer.until("step", step=1)
    attended.set()
    worker.join()
    left = time.monotonic()
    assert trainer.finish() == 70
    assert 2 <= time.monotonic() - left < 15
    # It neither failed nor got to the end.
    assert {event["event"] for event in trainer.events} == {"started", "evaluated", "step"}


@pytest.mark.parametrize(("touches", "code"), [(0, 70), (8, 0)])
def test_the_lease_lasts_as_long_as_it_is_touched(tmp_path: Path, touches: int, code: int) -> None:
    lease = tmp_path / "lease"
    lease.touch()
    # An old file counts from the start of the process.
    os.utime(lease, (0, 0))
    script = "import sys, time, pathlib; from secpi_trainer.train.lease import watch_lease\n"
    script += "watch_lease(pathlib.Path(sys.argv[1]), 1.0); time.sleep(2.0)"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(lease)], env={**os.environ, "PYTHONPATH": str(SOURCE)}
    )
    for _ in range(touches):
        time.sleep(0.25)
        lease.touch()
    assert process.wait(10) == code
