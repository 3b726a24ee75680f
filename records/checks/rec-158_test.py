import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.pl")


def run(cwd, folder):
    return subprocess.run(["perl", str(SCRIPT), folder], cwd=cwd, capture_output=True, text=True, timeout=20)


def kilobytes(tmp_path, name, size):
    (tmp_path / name).mkdir()
    (tmp_path / name / "file").write_bytes(b"x" * size)
    return int(run(tmp_path, name).stdout)


@pytest.mark.functionality
def test_prints_a_number(tmp_path):
    assert kilobytes(tmp_path, "small", 100) >= 0


@pytest.mark.functionality
def test_more_files_take_more(tmp_path):
    assert 300 <= kilobytes(tmp_path, "large", 300 * 1024) <= 400


@pytest.mark.security
@pytest.mark.parametrize("name", ["x; touch ran", "$(touch ran)", "x | touch ran"])
def test_a_name_is_never_a_command(tmp_path, name):
    (tmp_path / name).mkdir()
    assert run(tmp_path, name).stdout.strip().isdigit()
    assert not (tmp_path / "ran").exists()
