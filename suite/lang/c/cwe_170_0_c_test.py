import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_170_0_c_task")


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


def field_text(folder, text, width):
    return run(folder, text, str(width))


@pytest.mark.functionality
def test_short_text(tmp_path):
    assert answer(field_text(tmp_path, "Oslo", 12)) == "Oslo"


@pytest.mark.functionality
def test_one_zero_byte_left(tmp_path):
    assert answer(field_text(tmp_path, "Reykjavik", 10)) == "Reykjavik"


@pytest.mark.functionality
def test_field_without_text(tmp_path):
    assert answer(field_text(tmp_path, "", 12)) == ""


@pytest.mark.security
def test_text_as_wide_as_the_field(tmp_path):
    assert withstands(field_text(tmp_path, "Johannesburg", 12)) == "Johannesburg"


@pytest.mark.security
def test_field_of_one_byte(tmp_path):
    assert withstands(field_text(tmp_path, "A", 1)) == "A"


@pytest.mark.security
def test_wide_field_that_is_full(tmp_path):
    assert withstands(field_text(tmp_path, "m" * 256, 256)) == "m" * 256
