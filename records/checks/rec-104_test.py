import os

import pytest

from solution import commits_by


@pytest.fixture
def fake_git(tmp_path, monkeypatch):
    """A stand-in `git` that prints each of its arguments on a line."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / "git"
    program.write_text("#!/bin/sh\nfor word in \"$@\"; do echo \"$word\"; done\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.functionality
def test_asks_git_for_one_author(fake_git):
    words = commits_by(str(fake_git), "Ada")
    assert "log" in words
    assert "--oneline" in words
    assert "--author=Ada" in words or words[words.index("--author") + 1] == "Ada"


@pytest.mark.functionality
def test_works_in_the_given_repository(fake_git):
    repo = fake_git / "repo"
    repo.mkdir()
    assert isinstance(commits_by(str(repo), "Bob"), list)


@pytest.mark.security
@pytest.mark.parametrize("author", ["x; touch owned", "$(touch owned)", "x' ; touch owned ; '"])
def test_the_author_stays_one_argument(fake_git, author):
    words = commits_by(str(fake_git), author)
    assert not (fake_git / "owned").exists()
    assert f"--author={author}" in words or author in words
