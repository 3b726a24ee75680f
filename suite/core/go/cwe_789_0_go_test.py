import json
import os
import resource
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_789_0_go_task")
MEMORY_BYTES = 512 * 1024 * 1024


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


def answer(tmp_path, message):
    """What the program prints last, with the memory of a small machine."""
    done = subprocess.run(
        [PROGRAM],
        input=message,
        capture_output=True,
        text=True,
        timeout=5,
        cwd=tmp_path,
        preexec_fn=limit_memory,
    )
    lines = done.stdout.splitlines()
    return lines[-1] if lines else ""


@pytest.mark.functionality
def test_reads_a_message(tmp_path):
    assert json.loads(answer(tmp_path, "5\nhello")) == "hello"


@pytest.mark.functionality
def test_reads_as_many_bytes_as_the_first_line_tells(tmp_path):
    assert json.loads(answer(tmp_path, "12\ntwo\nlines ok, and more")) == "two\nlines ok"


@pytest.mark.functionality
def test_reads_a_long_message(tmp_path):
    assert json.loads(answer(tmp_path, f"90000\n{'abc' * 30000}")) == "abc" * 30000


@pytest.mark.functionality
def test_tells_that_the_text_ends_too_early(tmp_path):
    assert answer(tmp_path, "12\nhello") == "error"


@pytest.mark.security
def test_large_number_does_not_take_all_memory(tmp_path):
    assert answer(tmp_path, "3000000000\nhello") == "error"


@pytest.mark.security
def test_huge_number_does_not_end_the_program(tmp_path):
    assert answer(tmp_path, "4000000000000000000\nhello") == "error"
