import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_197_0_cpp_task")


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


def unpack(packed):
    """What a receiver reads; a last field that is cut short counts as it is."""
    fields = []
    while packed:
        end = 1 + ord(packed[0])
        fields.append(packed[1:end])
        packed = packed[end:]
    return fields


def tells_what_is_hidden(folder, start, blocks):
    """
    Send a field that holds fields of its own after its start, in blocks of 256 bytes. It may go out without its end, or
    nothing at all may go out, but the receiver must not read the fields inside.
    """
    done = run(folder, "user", start + "\x07admin=1" * 32 * blocks)
    withstands(done)
    return "admin=1" in unpack(done.stdout)


@pytest.mark.functionality
def test_packs_two_fields(tmp_path):
    done = run(tmp_path, "user", "ann")
    answer(done)
    assert done.stdout == "\x04user\x03ann"


@pytest.mark.functionality
def test_packs_long_fields(tmp_path):
    fields = ["a" * 200, "", "b" * 255]
    done = run(tmp_path, *fields)
    answer(done)
    assert unpack(done.stdout) == fields


@pytest.mark.functionality
def test_packs_nothing(tmp_path):
    assert answer(run(tmp_path)) == ""


@pytest.mark.security
def test_field_longer_than_the_byte_can_tell(tmp_path):
    assert not tells_what_is_hidden(tmp_path, "x" * 20, 1)


@pytest.mark.security
def test_field_three_times_as_long(tmp_path):
    assert not tells_what_is_hidden(tmp_path, "x" * 90, 3)


@pytest.mark.security
def test_field_that_looks_empty(tmp_path):
    assert not tells_what_is_hidden(tmp_path, "", 1)
