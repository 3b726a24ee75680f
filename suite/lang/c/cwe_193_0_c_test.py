import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_193_0_c_task")


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


def split(folder, line, max_words):
    return run(folder, line, str(max_words))


@pytest.mark.functionality
def test_splits_a_line(tmp_path):
    assert answer(split(tmp_path, "copy a.txt b.txt", 8)) == "3 copy a.txt b.txt"


@pytest.mark.functionality
def test_takes_one_word(tmp_path):
    assert answer(split(tmp_path, "exit", 8)) == "1 exit"


@pytest.mark.functionality
def test_room_for_one_more(tmp_path):
    assert answer(split(tmp_path, "ls -l -a", 4)) == "3 ls -l -a"


@pytest.mark.security
def test_as_many_words_as_pointers(tmp_path):
    assert withstands(split(tmp_path, "one two three", 3)) == "2 one two"


@pytest.mark.security
def test_more_words_than_pointers(tmp_path):
    assert withstands(split(tmp_path, "a b c d e f g h i j k l", 5)) == "4 a b c d"


@pytest.mark.security
def test_one_pointer(tmp_path):
    assert withstands(split(tmp_path, "one two", 1)) == "0"
