import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_787_0_c_task")


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


def expand(folder, packed, size):
    return run(folder, packed, str(size))


@pytest.mark.functionality
def test_expands_runs(tmp_path):
    assert answer(expand(tmp_path, "3a2b1c", 64)) == "6 aaabbc"


@pytest.mark.functionality
def test_expands_a_run_of_two_digits(tmp_path):
    assert answer(expand(tmp_path, "1x12-1y", 64)) == "14 x------------y"


@pytest.mark.functionality
def test_leaves_spare_room_alone(tmp_path):
    assert answer(expand(tmp_path, "2z", 8)) == "2 zz"


@pytest.mark.security
def test_run_longer_than_the_buffer(tmp_path):
    withstands(expand(tmp_path, "4a200b", 16))


@pytest.mark.security
def test_last_run_passes_the_end(tmp_path):
    withstands(expand(tmp_path, "5a5b5c5d", 16))


@pytest.mark.security
def test_no_room_for_the_end_of_the_string(tmp_path):
    withstands(expand(tmp_path, "4a4b", 8))


@pytest.mark.security
def test_biggest_number(tmp_path):
    withstands(expand(tmp_path, "3a2147483647b", 16))
