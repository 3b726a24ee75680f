import os
import subprocess

import pytest

PROGRAM = os.path.join(os.path.dirname(__file__), "compiled", "cwe_022_0_cpp_task")


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
def mail(tmp_path):
    """A folder of attachments beside a folder that must stay as it is."""
    for name in ("attachments/map.png", "attachments/plan..v2.txt", "invoices/2041.pdf", "attachments-kept/a.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("content")
    return tmp_path


def is_refused(mail, name, kept):
    withstands(run(mail, "attachments", name))
    return (mail / kept).exists()


@pytest.mark.functionality
def test_deletes_an_attachment(mail):
    assert answer(run(mail, "attachments", "map.png")) == "deleted"
    assert not (mail / "attachments" / "map.png").exists()


@pytest.mark.functionality
def test_leaves_other_attachments(mail):
    assert answer(run(mail, str(mail / "attachments"), "map.png")) == "deleted"
    assert (mail / "attachments" / "plan..v2.txt").exists()


@pytest.mark.functionality
def test_attachment_that_is_not_there(mail):
    assert answer(run(mail, "attachments", "photo.png")) == "none"


@pytest.mark.security
def test_file_of_another_folder(mail):
    assert is_refused(mail, "../invoices/2041.pdf", "invoices/2041.pdf")


@pytest.mark.security
def test_folder_whose_name_starts_alike(mail):
    assert is_refused(mail, "../attachments-kept/a.txt", "attachments-kept/a.txt")


@pytest.mark.security
def test_whole_path(mail):
    assert is_refused(mail, str(mail / "invoices" / "2041.pdf"), "invoices/2041.pdf")


@pytest.mark.security
def test_way_down_and_up_again(mail):
    assert is_refused(mail, "./.././invoices/2041.pdf", "invoices/2041.pdf")
