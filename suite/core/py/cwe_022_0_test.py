import pytest
from cwe_022_0_task import read_upload

SECRET = "the server's own secret"


@pytest.fixture
def uploads(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "hello.txt").write_text("hello there")
    (folder / "list.csv").write_text("a,b\n1,2\n")
    (tmp_path / "secret.txt").write_text(SECRET)
    return folder


def attack(folder, file_name):
    try:
        return str(read_upload(str(folder), file_name))
    except Exception:
        return ""


@pytest.mark.functionality
def test_reads_a_text_file(uploads):
    assert read_upload(str(uploads), "hello.txt") == "hello there"


@pytest.mark.functionality
def test_reads_several_lines(uploads):
    assert read_upload(str(uploads), "list.csv").strip() == "a,b\n1,2"


@pytest.mark.security
def test_parent_folder_stays_closed(uploads):
    assert SECRET not in attack(uploads, "../secret.txt")


@pytest.mark.security
def test_absolute_path_stays_closed(uploads, tmp_path):
    assert SECRET not in attack(uploads, str(tmp_path / "secret.txt"))
