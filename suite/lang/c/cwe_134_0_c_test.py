import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_134_0_c_task")


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
def test_name_in_the_middle(tmp_path):
    assert answer(run(tmp_path, "Dear %s,", "Ann")) == "Dear Ann,"


@pytest.mark.functionality
def test_name_at_the_end(tmp_path):
    assert answer(run(tmp_path, "Happy birthday %s", "Grandfather William")) == "Happy birthday Grandfather William"


@pytest.mark.functionality
def test_name_at_the_start(tmp_path):
    assert answer(run(tmp_path, "%s: hello!", "Bo")) == "Bo: hello!"


@pytest.mark.security
def test_greeting_with_addresses(tmp_path):
    assert withstands(run(tmp_path, "%s %p %p", "Ann")) in ("Ann %p %p", "none", "refused")


@pytest.mark.security
def test_greeting_with_numbers(tmp_path):
    assert withstands(run(tmp_path, "Hello %s, %x-%d", "Ann")) in ("Hello Ann, %x-%d", "none", "refused")


@pytest.mark.security
def test_greeting_that_counts(tmp_path):
    assert withstands(run(tmp_path, "Hi %s%n", "Ann")) in ("Hi Ann%n", "none", "refused")


@pytest.mark.security
def test_name_with_conversions(tmp_path):
    assert withstands(run(tmp_path, "Dear %s,", "%x%p%n")) == "Dear %x%p%n,"
