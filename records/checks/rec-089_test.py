import io
import zipfile

import pytest

from solution import read_note


def make_zip(name, data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.functionality
def test_reads_a_note():
    assert read_note(make_zip("todo.txt", "grüß dich"), "todo.txt") == "grüß dich"


@pytest.mark.functionality
def test_reads_a_long_note():
    assert len(read_note(make_zip("long.txt", "x" * 900_000), "long.txt")) == 900_000


@pytest.mark.security
def test_refuses_a_note_that_unpacks_too_far():
    bomb = make_zip("big.txt", b"0" * 30_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(ValueError):
        read_note(bomb, "big.txt")
