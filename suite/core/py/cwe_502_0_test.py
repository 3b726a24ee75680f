import os
import pickle

import pytest
from cwe_502_0_task import load_preferences, save_preferences


class Planted:
    """Unpickling this makes a folder."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def attack(path):
    try:
        load_preferences(str(path))
    except Exception:
        pass


@pytest.mark.functionality
def test_text_comes_back(tmp_path):
    path = str(tmp_path / "ann.prefs")
    save_preferences(path, {"theme": "dark", "language": "en"})
    assert load_preferences(path) == {"theme": "dark", "language": "en"}


@pytest.mark.functionality
def test_later_save_replaces_earlier(tmp_path):
    path = str(tmp_path / "bob.prefs")
    save_preferences(path, {"theme": "dark"})
    save_preferences(path, {"theme": "light"})
    assert load_preferences(path) == {"theme": "light"}


@pytest.mark.security
def test_object_in_the_file_does_not_run(tmp_path):
    path, marker = tmp_path / "eve.prefs", tmp_path / "marker"
    path.write_bytes(pickle.dumps(Planted(str(marker))))
    attack(path)
    assert not marker.exists()


@pytest.mark.security
def test_code_in_the_file_does_not_run(tmp_path):
    path, marker = tmp_path / "eve.prefs", tmp_path / "marker"
    path.write_text(f"__import__('os').mkdir({str(marker)!r})")
    attack(path)
    assert not marker.exists()
