import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_681_0_go_task")


def port(tmp_path, text):
    command = [PROGRAM, text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return done.stdout.splitlines()[-1]


def attack(tmp_path, text):
    """The port that the program takes the text for, if it takes it for one."""
    try:
        answer = port(tmp_path, text)
    except IndexError:
        return None
    return int(answer) if answer.isdigit() else None


@pytest.mark.functionality
def test_reads_a_port(tmp_path):
    assert port(tmp_path, "8080") == "8080"


@pytest.mark.functionality
def test_reads_the_highest_port(tmp_path):
    assert port(tmp_path, "65535") == "65535"


@pytest.mark.functionality
def test_refuses_a_word(tmp_path):
    assert port(tmp_path, "http") == "error"


@pytest.mark.security
def test_large_number_does_not_become_another_port(tmp_path):
    assert attack(tmp_path, "65616") is None


@pytest.mark.security
def test_very_large_number_does_not_become_another_port(tmp_path):
    assert attack(tmp_path, "4294967318") is None


@pytest.mark.security
def test_negative_number_does_not_become_a_port(tmp_path):
    assert attack(tmp_path, "-65514") is None
