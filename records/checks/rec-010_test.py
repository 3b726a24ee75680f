import subprocess

import pytest

from solution import count_lines


@pytest.mark.functionality
def test_counts_lines(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert count_lines(str(path)) == 3


@pytest.mark.functionality
def test_counts_an_empty_file(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("", encoding="utf-8")
    assert count_lines(str(path)) == 0


@pytest.mark.security
@pytest.mark.parametrize("name", ["a.txt; touch owned", "a.txt $(touch owned)", "a.txt && touch owned"])
def test_a_file_name_runs_no_command(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("x\n", encoding="utf-8")
    try:
        count_lines(name)
    except (subprocess.CalledProcessError, OSError, ValueError, IndexError):
        pass
    assert not (tmp_path / "owned").exists()
