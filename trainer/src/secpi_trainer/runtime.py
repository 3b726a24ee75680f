"""Process-wide set-up that must happen before torch or transformers is imported."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from typing import TextIO

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Asks the kernel to SIGKILL this process when the thread that started it ends (Linux only).

    Closed stdin is the portable sign that the parent is gone; this covers the time in which no thread of ours
    reads stdin yet.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(70)


def stay_offline() -> None:
    """Everything is loaded from local folders: a hub look-up would only hang or leak names."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # cuBLAS is deterministic only with a fixed workspace; it is read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The backward pass of flash attention adds in any order unless it is told not to.
    os.environ.setdefault("FLASH_ATTENTION_DETERMINISTIC", "1")


def share_cores() -> None:
    """Waiting threads sleep instead of spinning; read by OpenMP when torch is loaded.

    On a machine with other work, a spinning thread takes the core from the one it waits for.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def claim_stdout() -> TextIO:
    """Returns the real stdout for protocol lines and points everything else that prints at stderr.

    File descriptor 1 is redirected too, since native libraries write to it directly.
    """
    sys.stdout.flush()
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, force=True)
    return protocol
