import os
import pickle

import pytest
from cwe_502_0_task import pack_preferences, unpack_preferences


class Planted:
    """Unpickling this makes a folder."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def attack(data):
    try:
        unpack_preferences(data)
    except Exception:
        pass


@pytest.mark.functionality
def test_words_come_back():
    preferences = {"theme": "dark", "language": "en"}
    assert unpack_preferences(pack_preferences(preferences)) == preferences


@pytest.mark.functionality
def test_numbers_and_lists_come_back():
    preferences = {"size": 12, "tabs": ["news", "mail"], "sound": True}
    assert unpack_preferences(pack_preferences(preferences)) == preferences


@pytest.mark.security
def test_planted_object_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(pickle.dumps(Planted(str(marker))))
    assert not marker.exists()


@pytest.mark.security
def test_planted_code_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    code = f"__import__('os').mkdir({str(marker)!r})"
    attack(code.encode())
    attack(code)
    assert not marker.exists()
