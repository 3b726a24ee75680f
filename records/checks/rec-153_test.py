import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.sh")


def found(tmp_path, term):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.txt").write_text("tea at 4.30\ntea at 4530\nplum cake\n")
    (tmp_path / "docs" / "two.txt").write_text("use -v for more\ngreen tea\n")
    (tmp_path / "private.txt").write_text("plum\n")
    done = subprocess.run(["bash", str(SCRIPT), term, "docs"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    return sorted(done.stdout.splitlines())


@pytest.mark.functionality
def test_finds_lines_in_all_files(tmp_path):
    assert found(tmp_path, "tea") == ["green tea", "tea at 4.30", "tea at 4530"]


@pytest.mark.functionality
def test_the_term_is_no_pattern(tmp_path):
    assert found(tmp_path, "4.30") == ["tea at 4.30"]


@pytest.mark.security
def test_a_term_that_looks_like_an_option_is_searched_for(tmp_path):
    assert found(tmp_path, "-v") == ["use -v for more"]


@pytest.mark.security
def test_no_other_file_is_read_for_terms(tmp_path):
    assert found(tmp_path, "--file=private.txt") == []
