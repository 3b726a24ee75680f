import os
import re
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_476_0_c_task")


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


def is_number(printed):
    """What of a broken text is added up does not matter, and an exit status of its own is as good as -1."""
    return printed == "refused" or re.fullmatch(r"-?\d+", printed) is not None


@pytest.mark.functionality
def test_adds_two_amounts(tmp_path):
    assert answer(run(tmp_path, "rent=700;food=250")) == "950"


@pytest.mark.functionality
def test_adds_five_amounts(tmp_path):
    assert answer(run(tmp_path, "a=1;b=20;c=300;d=4000;e=50000")) == "54321"


@pytest.mark.functionality
def test_takes_one_amount(tmp_path):
    assert answer(run(tmp_path, "rent=700")) == "700"


@pytest.mark.security
def test_name_without_amount(tmp_path):
    assert is_number(withstands(run(tmp_path, "rent=700;food")))


@pytest.mark.security
def test_amount_left_out(tmp_path):
    assert is_number(withstands(run(tmp_path, "rent=;food=250")))


@pytest.mark.security
def test_word_alone(tmp_path):
    assert is_number(withstands(run(tmp_path, "nothing")))
