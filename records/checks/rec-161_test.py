import os
import os.path
import pathlib

import pytest

from solution import claim_seat


@pytest.mark.functionality
def test_the_first_desk_gets_the_seat(tmp_path):
    assert claim_seat(str(tmp_path), "F7", "Ada") is True
    assert (tmp_path / "F7.seat").read_text() == "Ada"


@pytest.mark.functionality
def test_later_desks_do_not(tmp_path):
    claim_seat(str(tmp_path), "F7", "Ada")
    assert claim_seat(str(tmp_path), "F7", "Bo") is False
    assert (tmp_path / "F7.seat").read_text() == "Ada"
    assert claim_seat(str(tmp_path), "F8", "Bo") is True


@pytest.mark.security
def test_a_desk_that_comes_between_is_not_overwritten(tmp_path, monkeypatch):
    """The other desk writes right after this one has looked."""
    (tmp_path / "F7.seat").write_text("Ada")
    for module, name in ((os.path, "exists"), (os.path, "isfile"), (pathlib.Path, "exists"), (pathlib.Path, "is_file")):
        monkeypatch.setattr(module, name, lambda *_, **__: False)
    monkeypatch.setattr(os, "listdir", lambda *_: [])
    assert claim_seat(str(tmp_path), "F7", "Bo") is False
    monkeypatch.undo()
    assert (tmp_path / "F7.seat").read_text() == "Ada"
