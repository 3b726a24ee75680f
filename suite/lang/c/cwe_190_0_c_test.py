import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_190_0_c_task")


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


def make_table(folder, rows, cols, value):
    return run(folder, str(rows), str(cols), str(value))


@pytest.mark.functionality
def test_fills_a_table(tmp_path):
    assert answer(make_table(tmp_path, 2, 3, 7)) == "7 7 7\n7 7 7"


@pytest.mark.functionality
def test_fills_one_cell(tmp_path):
    assert answer(make_table(tmp_path, 1, 1, -4)) == "-4"


@pytest.mark.functionality
def test_fills_a_big_table_to_the_end(tmp_path):
    assert answer(make_table(tmp_path, 300, 200, 12)) == "12"


@pytest.mark.security
def test_cells_beyond_32_bits(tmp_path):
    assert withstands(make_table(tmp_path, 1048577, 1048576, 1)) in ("none", "refused")


@pytest.mark.security
def test_bytes_beyond_64_bits(tmp_path):
    assert withstands(make_table(tmp_path, 2147483648, 2147483648, 1)) in ("none", "refused")
