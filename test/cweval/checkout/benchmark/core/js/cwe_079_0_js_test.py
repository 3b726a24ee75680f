import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "cwe_079_0_js_task.js")


def greet(name):
    return subprocess.run(["node", PROGRAM, name], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.functionality
def test_greets():
    assert greet("Ada") == "<p>Hello, Ada!</p>"


@pytest.mark.security
def test_escapes():
    assert "<script>" not in greet("<script>alert(1)</script>")
