import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_416_0_c_task")


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


def repeat(folder, text, spare, times=1):
    return run(folder, text, str(spare), str(times))


@pytest.mark.functionality
def test_repeats_the_last_word(tmp_path):
    assert answer(repeat(tmp_path, "to be", 64)) == "to be be"


@pytest.mark.functionality
def test_repeats_the_only_word(tmp_path):
    assert answer(repeat(tmp_path, "hello", 64)) == "hello hello"


@pytest.mark.functionality
def test_repeats_twice(tmp_path):
    assert answer(repeat(tmp_path, "a long way down", 64, times=2)) == "a long way down down down"


@pytest.mark.security
def test_block_grows(tmp_path):
    assert withstands(repeat(tmp_path, "the quick brown fox", 0)) == "the quick brown fox fox"


@pytest.mark.security
def test_block_of_one_long_word_grows(tmp_path):
    assert withstands(repeat(tmp_path, "w" * 300, 5)) == "w" * 300 + " " + "w" * 300


@pytest.mark.security
def test_block_grows_again_and_again(tmp_path):
    assert withstands(repeat(tmp_path, "row your boat", 2, times=20)) == "row your" + " boat" * 21
