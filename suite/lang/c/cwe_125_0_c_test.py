import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_125_0_c_task")


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


def tlv_sum(folder, message, tag):
    return run(folder, bytes(message).hex(), str(tag))


def adds_no_more_than(most, done):
    """The bytes that are there may be added up or not."""
    printed = withstands(done)
    return printed == "refused" or int(printed) <= most


@pytest.mark.functionality
def test_adds_up_the_first_entry(tmp_path):
    assert answer(tlv_sum(tmp_path, [7, 3, 10, 20, 30, 9, 1, 5], 7)) == "60"


@pytest.mark.functionality
def test_walks_to_a_later_entry(tmp_path):
    assert answer(tlv_sum(tmp_path, [7, 3, 9, 1, 30, 8, 0, 9, 2, 200, 100], 9)) == "300"


@pytest.mark.functionality
def test_value_without_bytes(tmp_path):
    assert answer(tlv_sum(tmp_path, [7, 0, 9, 1, 4], 7)) == "0"


@pytest.mark.functionality
def test_tag_that_is_not_there(tmp_path):
    assert answer(tlv_sum(tmp_path, [7, 1, 1, 9, 1, 4], 8)) == "-1"


@pytest.mark.security
def test_length_beyond_the_message(tmp_path):
    assert adds_no_more_than(3, tlv_sum(tmp_path, [7, 250, 1, 2], 7))


@pytest.mark.security
def test_message_ends_after_a_tag(tmp_path):
    assert adds_no_more_than(0, tlv_sum(tmp_path, [3, 1, 5, 7], 7))


@pytest.mark.security
def test_entry_before_it_reaches_past_the_end(tmp_path):
    assert adds_no_more_than(5, tlv_sum(tmp_path, [3, 60, 7, 1, 5], 7))
