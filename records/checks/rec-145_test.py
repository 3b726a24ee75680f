import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.sh")


def value(tmp_path, text, key):
    (tmp_path / "server.conf").write_text(text)
    command = ["bash", str(SCRIPT), "./server.conf", key]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20)
    return done.stdout.rstrip("\n")


@pytest.mark.functionality
@pytest.mark.parametrize(("key", "wanted"), [("PORT", "7777"), ("MAP", "harbour"), ("SLOTS", "16")])
def test_prints_the_value(tmp_path, key, wanted):
    assert value(tmp_path, "PORT=7777\nMAP=harbour\nSLOTS=16\n", key) == wanted


@pytest.mark.functionality
def test_an_equals_sign_may_be_in_a_value(tmp_path):
    assert value(tmp_path, "MOD=speed=2\nPORT=1\n", "MOD") == "speed=2"


@pytest.mark.security
def test_no_command_of_the_file_runs(tmp_path):
    value(tmp_path, "touch ran\nPORT=7777\n", "PORT")
    assert not (tmp_path / "ran").exists()


@pytest.mark.security
def test_a_command_in_a_value_is_text(tmp_path):
    assert value(tmp_path, "MAP=$(touch ran)\n", "MAP") == "$(touch ran)"
    assert not (tmp_path / "ran").exists()
