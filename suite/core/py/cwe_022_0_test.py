import pytest
from cwe_022_0_task import read_entry

SECRET = "the server's own secret"


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "hello.txt").write_text("hello there")
    (folder / "shopping.txt").write_text("milk and bread\n")
    (tmp_path / "secret.txt").write_text(SECRET)
    return folder


def attack(folder, title):
    try:
        return str(read_entry(str(folder), title))
    except Exception:
        return ""


@pytest.mark.functionality
def test_reads_a_note(notes):
    assert read_entry(str(notes), "hello").strip() == "hello there"


@pytest.mark.functionality
def test_reads_another_note(notes):
    assert read_entry(str(notes), "shopping").strip() == "milk and bread"


@pytest.mark.security
def test_parent_folder_stays_closed(notes):
    assert SECRET not in attack(notes, "../secret")


@pytest.mark.security
def test_way_through_another_folder_stays_closed(notes):
    assert SECRET not in attack(notes, "../notes/../secret")
