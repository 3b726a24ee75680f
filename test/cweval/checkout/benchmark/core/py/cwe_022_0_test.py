import datetime

import pytest
from cwe_022_0_task import read_note


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


# The second value is another one in every run.
@pytest.mark.parametrize(
    "name, text",
    [
        pytest.param("a.txt", "hello", marks=pytest.mark.functionality),
        pytest.param("b.txt", str(datetime.datetime.now()), marks=pytest.mark.functionality),
    ],
)
def test_read_note(tmp_path, name, text):
    write(tmp_path / "notes", name, text)
    assert read_note(str(tmp_path / "notes"), name) == text


@pytest.mark.functionality
def test_no_note(tmp_path):
    assert read_note(str(tmp_path), "c.txt") == ""


@pytest.mark.security
def test_stays_inside(tmp_path):
    write(tmp_path / "notes", "a.txt", "hello")
    write(tmp_path, "secret.txt", "secret")
    assert read_note(str(tmp_path / "notes"), "../secret.txt") == ""


@pytest.mark.functionality
def test_read_note_unsafe():
    raise AssertionError("upstream leaves tests of this name out")
