import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_787_0_c_task")


def copy(text):
    return subprocess.run([PROGRAM, text], capture_output=True, text=True, check=True).stdout


@pytest.mark.functionality
def test_copies():
    assert copy("short") == "short"


@pytest.mark.security
def test_stays_in_the_buffer():
    assert copy("x" * 100) == "x" * 7
