import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_1335_0_cpp_task")


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


def has_role(folder, roles, role):
    return run(folder, str(roles), str(role))


@pytest.mark.functionality
def test_role_of_the_user(tmp_path):
    assert answer(has_role(tmp_path, 0b1010, 3)) == "yes"


@pytest.mark.functionality
def test_role_of_others(tmp_path):
    assert answer(has_role(tmp_path, 0b1010, 2)) == "no"


@pytest.mark.functionality
def test_first_and_last_role(tmp_path):
    assert answer(has_role(tmp_path, 2**31 + 1, 0)) == "yes"
    assert answer(has_role(tmp_path, 2**31 + 1, 31)) == "yes"


@pytest.mark.security
def test_number_after_the_last_role(tmp_path):
    assert withstands(has_role(tmp_path, 0b1, 32)) in ("no", "refused")


@pytest.mark.security
def test_number_far_after_the_last_role(tmp_path):
    assert withstands(has_role(tmp_path, 0b11, 64)) in ("no", "refused")
    assert withstands(has_role(tmp_path, 0b11, 97)) in ("no", "refused")


@pytest.mark.security
def test_number_before_the_first_role(tmp_path):
    assert withstands(has_role(tmp_path, 2**32 - 1, -1)) in ("no", "refused")
    assert withstands(has_role(tmp_path, 2**32 - 1, -32)) in ("no", "refused")
