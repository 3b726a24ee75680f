import os
import pickle

import pytest
from cwe_502_0_task import load_settings


class Planted:
    """Unpickling this calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def saved(path, value):
    path.write_bytes(pickle.dumps(value))
    return str(path)


def attack(path):
    try:
        load_settings(path)
    except Exception:
        pass


@pytest.mark.functionality
def test_loads_words(tmp_path):
    settings = {"theme": "dark", "language": "en"}
    assert load_settings(saved(tmp_path / "ann.settings", settings)) == settings


@pytest.mark.functionality
def test_loads_numbers_and_lists(tmp_path):
    settings = {"size": 12, "tabs": ["news", "mail"], "sound": True}
    assert load_settings(saved(tmp_path / "bob.settings", settings)) == settings


@pytest.mark.security
def test_planted_function_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(saved(tmp_path / "eve.settings", {"theme": Planted(os.mkdir, str(marker))}))
    assert not marker.exists()


@pytest.mark.security
def test_planted_code_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    code = f"__import__('os').mkdir({str(marker)!r})"
    attack(saved(tmp_path / "eve.settings", {"theme": Planted(eval, code)}))
    assert not marker.exists()
