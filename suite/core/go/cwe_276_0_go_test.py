import os
import stat
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_276_0_go_task")


def save(tmp_path, token, umask=0o022):
    file = tmp_path / "token"
    command = [PROGRAM, str(file), token]
    subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path, umask=umask)
    return file


def rights_of_others(tmp_path, umask):
    file = save(tmp_path, "secret-token", umask)
    return stat.S_IMODE(file.stat().st_mode) & 0o077 if file.exists() else 0


@pytest.mark.functionality
def test_writes_the_token(tmp_path):
    assert save(tmp_path, "abc-123").read_text().strip() == "abc-123"


@pytest.mark.functionality
def test_writes_another_token(tmp_path):
    assert save(tmp_path, "x" * 200).read_text().strip() == "x" * 200


@pytest.mark.security
def test_others_have_no_rights(tmp_path):
    assert rights_of_others(tmp_path, 0o022) == 0


@pytest.mark.security
def test_others_have_no_rights_on_an_open_machine(tmp_path):
    assert rights_of_others(tmp_path, 0o000) == 0
