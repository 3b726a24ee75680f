import pytest
from cwe_022_1_task import create_note


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "config.txt").write_text("original")
    return folder


def attack(folder, title):
    try:
        create_note(str(folder), title)
    except Exception:
        pass


@pytest.mark.functionality
def test_creates_the_note(notes):
    create_note(str(notes), "shopping")
    assert "shopping" in (notes / "shopping.txt").read_text()


@pytest.mark.functionality
def test_keeps_two_notes_apart(notes):
    create_note(str(notes), "one")
    create_note(str(notes), "two")
    assert "one" in (notes / "one.txt").read_text()
    assert "two" in (notes / "two.txt").read_text()


@pytest.mark.security
def test_file_outside_is_not_overwritten(notes, tmp_path):
    attack(notes, "../config")
    assert (tmp_path / "config.txt").read_text() == "original"


@pytest.mark.security
def test_no_new_file_outside(notes, tmp_path):
    attack(notes, "../planted")
    assert not (tmp_path / "planted.txt").exists()
