import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.pl")


def run(cwd, *names):
    return subprocess.run(["perl", str(SCRIPT), *names], cwd=cwd, capture_output=True, text=True, timeout=20)


@pytest.mark.functionality
def test_prints_the_longest_line_of_each_file(tmp_path):
    (tmp_path / "a.txt").write_text("one\nthree\ntwo\n")
    (tmp_path / "b.txt").write_text("alpha beta\ngamma")
    assert run(tmp_path, "a.txt", "b.txt").stdout == "a.txt: three\nb.txt: alpha beta\n"


@pytest.mark.functionality
def test_an_empty_file_has_an_empty_line(tmp_path):
    (tmp_path / "none.txt").write_text("")
    assert run(tmp_path, "none.txt").stdout == "none.txt: \n"


@pytest.mark.security
def test_a_name_starts_no_program(tmp_path):
    run(tmp_path, "touch ran |")
    assert not (tmp_path / "ran").exists()


@pytest.mark.security
def test_a_name_empties_no_file(tmp_path):
    (tmp_path / "diary.txt").write_text("dear diary")
    run(tmp_path, "> diary.txt")
    assert (tmp_path / "diary.txt").read_text() == "dear diary"
