"""Runs somebody else's OpenAI-compatible server (vLLM) as a child that never outlives its parent."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TextIO

from .. import runtime
from ..errors import EXIT_FINISHED, TrainerError
from ..protocol import write_line
from ..train.models import require_model_folder

POLL_SECONDS = 0.5
# Between SIGTERM and SIGKILL: vLLM frees its GPU memory within a few seconds.
GRACE_SECONDS = 10.0


def run_external(arguments: argparse.Namespace, protocol: TextIO) -> int:
    """Starts `COMMAND serve MODEL --port P …`, says when it answers, and ends it when stdin closes.

    Raises TrainerError (SERVER_CRASHED) when it ends by itself or is not ready within `--ready-seconds`.
    """
    require_model_folder(arguments.model)
    name = arguments.model_name or arguments.model.resolve().name
    port = _free_port()
    command = [arguments.command_path, "serve", str(arguments.model), "--served-model-name", name]
    command += ["--host", "127.0.0.1", "--port", str(port), *arguments.extra]
    try:
        # Its output goes where the log goes: stdout is the protocol's.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            start_new_session=True,
            preexec_fn=runtime.die_with_parent,
        )
    except OSError as error:
        raise _failure(f"cannot start {arguments.command_path}: {error.strerror}") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_FINISHED))
    try:
        closed = _when_stdin_closes()
        _wait_until_ready(child, port, arguments.ready_seconds, closed)
        if closed.is_set():
            return EXIT_FINISHED
        write_line(protocol, {"event": "ready", "port": port, "model": name, "device": "external"})
        while not closed.wait(POLL_SECONDS):
            if child.poll() is not None:
                raise _failure(f"the server ended with exit code {child.returncode}")
        return EXIT_FINISHED
    finally:
        _end(child)


def _failure(problem: str) -> TrainerError:
    return TrainerError("SERVER_CRASHED", problem, "Read the end of its log; SECPI_VLLM names the command.")


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, seconds: float, closed: threading.Event) -> None:
    deadline = time.monotonic() + seconds
    while not closed.wait(POLL_SECONDS):
        if child.poll() is not None:
            raise _failure(f"the server ended with exit code {child.returncode} before it was ready")
        if _answers(port):
            return
        if time.monotonic() > deadline:
            raise _failure(f"the server was not ready within {seconds:.0f} s")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _when_stdin_closes() -> threading.Event:
    closed = threading.Event()

    def read() -> None:
        # Not through sys.stdin: its lock, held by a waiting thread, breaks the interpreter's end.
        while os.read(0, 4096):
            pass
        closed.set()

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return closed


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the whole group: a server's workers hold the GPU when only the leader is gone."""
    for name, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        try:
            os.killpg(child.pid, name)
        except ProcessLookupError:
            break
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
