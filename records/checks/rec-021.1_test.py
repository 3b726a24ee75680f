import os

import pytest

from solution import play_sound

FAKE = """#!/bin/sh
for last; do :; done
printf '%s' "$last" > "$PLAYED"
case "$last" in *broken*) exit 1;; esac
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    program = tmp_path / "aplay"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(tmp_path / "played"))
    monkeypatch.chdir(tmp_path)
    return lambda: (tmp_path / "played").read_text()


@pytest.mark.functionality
def test_plays_the_file(played):
    assert play_sound("bell.wav") is True
    assert played() == "bell.wav"


@pytest.mark.functionality
def test_tells_that_the_program_failed(played):
    assert play_sound("broken.wav") is False


@pytest.mark.security
@pytest.mark.parametrize("name", ["a.wav; touch ran", "$(touch ran).wav", "a.wav && touch ran"])
def test_a_name_is_never_a_command(played, tmp_path, name):
    play_sound(name)
    assert not (tmp_path / "ran").exists()
    assert played() == name
