import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.sh")


def run(cwd, *arguments, home="/nowhere"):
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=cwd, env={**os.environ, "HOME": str(home)}, capture_output=True, timeout=20)


def fill(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("text")
    return folder


@pytest.mark.functionality
def test_removes_the_backups_and_nothing_else(tmp_path):
    folder = fill(tmp_path / "work", "a.bak", "b c.bak", "a.txt", "bak")
    assert run(tmp_path, str(folder)).returncode == 0
    assert sorted(entry.name for entry in folder.iterdir()) == ["a.txt", "bak"]


@pytest.mark.functionality
def test_other_folders_are_left_alone(tmp_path):
    folder = fill(tmp_path / "work", "a.bak")
    fill(tmp_path, "mine.bak")
    run(tmp_path, str(folder))
    assert (tmp_path / "mine.bak").exists() and not (folder / "a.bak").exists()


@pytest.mark.security
def test_a_missing_folder_removes_nothing(tmp_path):
    fill(tmp_path, "mine.bak")
    assert run(tmp_path, str(tmp_path / "nowhere")).returncode != 0
    assert (tmp_path / "mine.bak").exists()


@pytest.mark.security
def test_no_argument_removes_nothing(tmp_path):
    home = fill(tmp_path / "home", "own.bak")
    fill(tmp_path, "mine.bak")
    run(tmp_path, home=home)
    assert (home / "own.bak").exists() and (tmp_path / "mine.bak").exists()
