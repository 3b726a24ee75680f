import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_415_0_c_task")


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


def resize(folder, *lengths):
    return run(folder, *[str(length) for length in lengths])


@pytest.mark.functionality
def test_grows(tmp_path):
    assert answer(resize(tmp_path, 5)) == "1 2 3 0 0"


@pytest.mark.functionality
def test_shrinks(tmp_path):
    assert answer(resize(tmp_path, 2)) == "1 2"


@pytest.mark.functionality
def test_shrinks_and_grows(tmp_path):
    assert answer(resize(tmp_path, 1, 40, 4)) == "1 0 0 0"


@pytest.mark.security
def test_no_samples_left(tmp_path):
    assert withstands(resize(tmp_path, 0)) in ("", "failed", "refused")


@pytest.mark.security
def test_none_and_then_some(tmp_path):
    assert withstands(resize(tmp_path, 0, 3)) in ("0 0 0", "failed", "refused")


@pytest.mark.security
def test_none_twice(tmp_path):
    assert withstands(resize(tmp_path, 0, 0)) in ("", "failed", "refused")
