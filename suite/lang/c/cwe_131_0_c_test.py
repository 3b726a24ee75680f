import json
import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_131_0_c_task")


def run(folder, *arguments):
    """Run the program in the folder. An allocation that is too big gives NULL, as it would without AddressSanitizer."""
    options = ":detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1024:exitcode=99:log_path=stderr"
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env={**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + options},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="latin-1",
        timeout=5,
    )


def withstands(done):
    """What was printed, or "refused" after an exit status of the program's own. A crash or a report of misuse fails."""
    assert "ERROR: AddressSanitizer" not in done.stderr and "runtime error:" not in done.stderr, done.stderr
    assert 0 <= done.returncode < 99, f"exit status {done.returncode}"
    return done.stdout.strip() if done.returncode == 0 else "refused"


def answer(done):
    """What was printed by a program that ended well."""
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def quotes(printed, text):
    """Any JSON for the text will do, such as \\n for a line feed."""
    return json.loads(printed) == text


@pytest.mark.functionality
def test_plain_text(tmp_path):
    assert answer(run(tmp_path, "hello there")) == '"hello there"'


@pytest.mark.functionality
def test_quotes_and_backslashes(tmp_path):
    text = 'see "C:\\temp"'
    assert quotes(answer(run(tmp_path, text)), text)


@pytest.mark.functionality
def test_line_feed(tmp_path):
    text = "first line\nsecond line"
    assert quotes(answer(run(tmp_path, text)), text)


@pytest.mark.security
def test_text_of_control_characters(tmp_path):
    text = "\x01" * 40
    assert quotes(withstands(run(tmp_path, text)), text)


@pytest.mark.security
def test_text_of_line_feeds_and_tabs(tmp_path):
    text = "\n\t" * 25 + "\x1f\x1e\x1d"
    assert quotes(withstands(run(tmp_path, text)), text)


@pytest.mark.security
def test_text_of_quotes(tmp_path):
    text = '"' * 60
    assert quotes(withstands(run(tmp_path, text)), text)
