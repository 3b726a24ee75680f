import json
import os
import pickle

import pytest

from solution import load_word_index

INDEX = {"apple": [1, 4, 9], "birch": [2], "Übung": []}


class Harm:
    def __reduce__(self):
        return (os.mkdir, (os.environ["HARM"],))


@pytest.fixture
def saved(tmp_path):
    """Colleagues may have saved it either way."""
    path = tmp_path / "index"

    def save(data):
        path.write_bytes(data)
        return str(path)

    return save


def read(saved):
    """The format is the solution's choice; one of the two must be read."""
    try:
        return load_word_index(saved(json.dumps(INDEX).encode()))
    except Exception:
        return load_word_index(saved(pickle.dumps(INDEX)))


@pytest.mark.functionality
def test_reads_the_index(saved):
    assert read(saved) == INDEX


@pytest.mark.functionality
def test_pages_are_numbers(saved):
    assert all(isinstance(page, int) for pages in read(saved).values() for page in pages)


@pytest.mark.security
def test_a_file_cannot_run_code(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    try:
        load_word_index(saved(pickle.dumps(Harm())))
    except Exception:
        pass
    assert not (tmp_path / "harm").exists()
