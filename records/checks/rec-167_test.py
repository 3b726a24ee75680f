import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.sh")
FAKE = """#!/bin/bash
for argument in "$@"; do printf '%s\\n' "$argument"; done > "$LOG/arguments"
timeout 5 cat > "$LOG/stdin" < /dev/stdin
exit "$STATUS"
"""


def upload(tmp_path, password="pearl-harp", status="0"):
    program = tmp_path / "curl"
    program.write_text(FAKE)
    program.chmod(0o755)
    (tmp_path / "trip.mp4").write_text("film")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path), "STATUS": status}
    env |= {"UP_NAME": "ann", "UP_PASSWORD": password}
    command = ["bash", str(SCRIPT), str(tmp_path / "trip.mp4"), "https://files.example/in/"]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    return done.returncode, (tmp_path / "arguments").read_text(), (tmp_path / "stdin").read_text()


@pytest.mark.functionality
def test_uploads_the_file_to_the_address(tmp_path):
    code, arguments, _ = upload(tmp_path)
    assert code == 0
    assert str(tmp_path / "trip.mp4") in arguments and "https://files.example/in/" in arguments


@pytest.mark.functionality
def test_curl_gets_name_and_password(tmp_path):
    _, arguments, stdin = upload(tmp_path)
    assert "ann:pearl-harp" in arguments + stdin


@pytest.mark.functionality
def test_a_password_may_hold_a_quote(tmp_path):
    _, arguments, stdin = upload(tmp_path, 'p"q r')
    assert 'ann:p"q r' in arguments + stdin.replace('\\"', '"')


@pytest.mark.functionality
def test_a_failed_upload_is_told(tmp_path):
    assert upload(tmp_path, status="22")[0] != 0


@pytest.mark.security
def test_the_password_is_no_argument(tmp_path):
    assert "pearl-harp" not in upload(tmp_path)[1]
