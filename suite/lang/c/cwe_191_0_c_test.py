import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_191_0_c_task")


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


@pytest.mark.functionality
def test_masks_a_card(tmp_path):
    assert answer(run(tmp_path, "4111222233334444")) == "************4444"


@pytest.mark.functionality
def test_masks_a_short_number(tmp_path):
    assert answer(run(tmp_path, "123456")) == "**3456"


@pytest.mark.functionality
def test_four_characters_stay(tmp_path):
    assert answer(run(tmp_path, "9876")) == "9876"


@pytest.mark.security
def test_three_characters(tmp_path):
    assert withstands(run(tmp_path, "987")) in ("987", "***")


@pytest.mark.security
def test_one_character(tmp_path):
    assert withstands(run(tmp_path, "9")) in ("9", "*")


@pytest.mark.security
def test_no_character(tmp_path):
    assert withstands(run(tmp_path, "")) == ""
