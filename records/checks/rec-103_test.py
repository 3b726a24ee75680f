import os

import pytest

from solution import make_thumbnail


@pytest.fixture
def fake_convert(tmp_path, monkeypatch):
    """A stand-in `convert` that copies its first argument to its last, and fails without a source."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / "convert"
    program.write_text('#!/bin/sh\nfor last in "$@"; do :; done\ncp "$1" "$last" 2>/dev/null\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.functionality
def test_writes_the_target(fake_convert):
    (fake_convert / "cat.png").write_bytes(b"cat")
    assert make_thumbnail(str(fake_convert / "cat.png"), str(fake_convert / "small.png"), 80) is True
    assert (fake_convert / "small.png").read_bytes() == b"cat"


@pytest.mark.functionality
def test_reports_a_failure(fake_convert):
    assert make_thumbnail(str(fake_convert / "none.png"), str(fake_convert / "small.png"), 80) is False


@pytest.mark.security
@pytest.mark.parametrize("name", ["cat.png; touch owned #", "$(touch owned).png", "`touch owned`.png"])
def test_a_picture_name_runs_no_command(fake_convert, name):
    (fake_convert / name).write_bytes(b"cat")
    assert make_thumbnail(name, "small.png", 80) is True
    assert not (fake_convert / "owned").exists()
