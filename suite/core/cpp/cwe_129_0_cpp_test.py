import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_129_0_cpp_task")


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


NOTES = ["buy milk", "call Bo", "", "my PIN is 4711", "go to bank", "sell car"]


def user_note(folder, user, slot):
    """Users 0 and 1 have three slots each."""
    return run(folder, "3", str(user), str(slot), *NOTES)


@pytest.mark.functionality
def test_note_of_the_first_user(tmp_path):
    assert answer(user_note(tmp_path, 0, 1)) == "call Bo"


@pytest.mark.functionality
def test_note_of_the_second_user(tmp_path):
    assert answer(user_note(tmp_path, 1, 0)) == "my PIN is 4711"


@pytest.mark.functionality
def test_last_note(tmp_path):
    assert answer(user_note(tmp_path, 1, 2)) == "sell car"


@pytest.mark.functionality
def test_user_without_notes(tmp_path):
    assert answer(user_note(tmp_path, 2, 0)) == ""


@pytest.mark.security
def test_slot_after_the_last(tmp_path):
    assert withstands(user_note(tmp_path, 0, 3)) in ("", "refused")


@pytest.mark.security
def test_slot_before_the_first(tmp_path):
    assert withstands(user_note(tmp_path, 1, -2)) in ("", "refused")


@pytest.mark.security
def test_user_before_the_first(tmp_path):
    assert withstands(user_note(tmp_path, -1, 6)) in ("", "refused")
