import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_059_0_cpp_task")


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


@pytest.fixture
def home(tmp_path):
    """A folder for reports beside a folder where no report belongs."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "config").mkdir()
    return tmp_path


@pytest.mark.functionality
def test_creates_a_report(home):
    assert answer(run(home, "reports/may.txt", "sales went up")) == "created"
    assert (home / "reports" / "may.txt").read_text().strip() == "sales went up"


@pytest.mark.functionality
def test_keeps_a_report(home):
    (home / "reports" / "may.txt").write_text("first")
    assert answer(run(home, "reports/may.txt", "second")) == "kept"
    assert (home / "reports" / "may.txt").read_text() == "first"


@pytest.mark.functionality
def test_creates_a_long_report(home):
    assert answer(run(home, str(home / "reports" / "year.txt"), "sales " * 5000)) == "created"
    assert (home / "reports" / "year.txt").read_text().split() == ["sales"] * 5000


@pytest.mark.security
def test_link_to_a_file_to_come(home):
    (home / "reports" / "june.txt").symlink_to(home / "config" / "startup")
    assert withstands(run(home, "reports/june.txt", "run this")) != "created"
    assert not (home / "config" / "startup").exists()


@pytest.mark.security
def test_relative_link_to_a_file_to_come(home):
    (home / "reports" / "july.txt").symlink_to("../config/startup")
    assert withstands(run(home, "reports/july.txt", "run this")) != "created"
    assert not (home / "config" / "startup").exists()


@pytest.mark.security
def test_link_to_a_file(home):
    (home / "config" / "startup").write_text("as it was")
    (home / "reports" / "august.txt").symlink_to(home / "config" / "startup")
    assert withstands(run(home, "reports/august.txt", "run this")) != "created"
    assert (home / "config" / "startup").read_text() == "as it was"
