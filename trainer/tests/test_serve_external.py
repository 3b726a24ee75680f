"""Another server's command is started, waited for, and never outlives whoever asked for it."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Process

STAND_IN = textwrap.dedent(
    """
    #!{python}
    import http.server, json, subprocess, sys, time
    assert sys.argv[1] == "serve"
    port = int(sys.argv[sys.argv.index("--port") + 1])
    assert sys.argv[sys.argv.index("--host") + 1] == "127.0.0.1"
    if "--crash" in sys.argv:
        sys.exit(9)
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open(__file__ + ".worker", "w").write(str(worker.pid))
    time.sleep(1)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(sys.argv).encode())
        def log_message(self, *args):
            pass

    http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
    """
).lstrip()


@pytest.fixture
def command(tmp_path: Path) -> Path:
    path = tmp_path / "stand-in"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def start(command: Path, tiny_model: Path) -> Iterator[Any]:
    """Starts the launcher with further arguments of the command."""
    started: list[Process] = []

    def run(*extra: str, path: Path = command) -> Process:
        process = Process("serve-with", "--command", str(path), "--model", str(tiny_model), "--", *extra)
        started.append(process)
        return process

    yield run
    for process in started:
        process.stop()


def worker_of(command: Path) -> int:
    return int(Path(f"{command}.worker").read_text())


def is_alive(pid: int) -> bool:
    try:
        # A zombie is reaped by the host's process 1, sooner or later.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 15
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is left"
        time.sleep(0.1)


def test_ready_when_it_answers_with_the_arguments_passed_on(start: Any, tiny_model: Path) -> None:
    process = start("--tensor-parallel-size", "2")
    ready = process.until("ready")
    with urllib.request.urlopen(f"http://127.0.0.1:{ready['port']}/v1/models", timeout=10) as response:
        arguments = json.load(response)
    assert arguments[1:5] == ["serve", str(tiny_model), "--served-model-name", tiny_model.name]
    assert arguments[-2:] == ["--tensor-parallel-size", "2"]
    assert ready["model"] == tiny_model.name


@pytest.mark.parametrize("how", ["stdin", "SIGTERM"])
def test_its_end_takes_the_whole_group_along(start: Any, command: Path, how: str) -> None:
    process = start()
    process.until("ready")
    worker = worker_of(command)
    assert is_alive(worker)
    if how == "stdin":
        process.close_stdin()
    else:
        process.signal(signal.SIGTERM)
    assert process.finish() == 0
    wait_until_gone(worker)


def test_a_killed_launcher_leaves_no_server(start: Any, command: Path) -> None:
    process = start()
    port = process.until("ready")["port"]
    process.signal(signal.SIGKILL)
    process.finish()
    with pytest.raises(OSError):
        for _ in range(50):
            time.sleep(0.1)
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1).close()
    # The stand-in's own worker is no server: vLLM's end with their leader by themselves.
    os.kill(worker_of(command), signal.SIGKILL)


def test_a_server_that_ends_is_told(start: Any) -> None:
    process = start("--crash")
    error = process.until("error")
    assert error["code"] == "SERVER_CRASHED"
    assert "exit code 9" in error["message"]
    assert process.finish() != 0


def test_a_command_that_is_not_there_is_told(start: Any, tmp_path: Path) -> None:
    error = start(path=tmp_path / "nowhere").until("error")
    assert "cannot start" in error["message"]
