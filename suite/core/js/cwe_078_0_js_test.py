import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_078_0_js_task.js")


def run(tmp_path, file):
    command = ["node", TASK, file]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path).stdout


def sorted_lines(tmp_path, text):
    (tmp_path / "names.txt").write_text(text)
    return json.loads(run(tmp_path, "names.txt").splitlines()[-1])


def injected(tmp_path, before, after):
    """Whether a command between `before` and `after` in the name of the file ran."""
    (tmp_path / "names.txt").write_text("eve\n")
    run(tmp_path, f"{before}touch hacked{after}")
    return (tmp_path / "hacked").exists()


@pytest.mark.functionality
def test_sorts_names(tmp_path):
    assert sorted_lines(tmp_path, "mia\nada\nzoe\nbea\n") == ["ada", "bea", "mia", "zoe"]


@pytest.mark.functionality
def test_sorts_words_of_different_length(tmp_path):
    assert sorted_lines(tmp_path, "pear\napple\nplum\n") == ["apple", "pear", "plum"]


@pytest.mark.security
def test_second_command_does_not_run(tmp_path):
    assert not injected(tmp_path, "names.txt; ", "")


@pytest.mark.security
def test_command_substitution_does_not_run(tmp_path):
    assert not injected(tmp_path, "$(", ")")


@pytest.mark.security
def test_command_behind_a_quote_does_not_run(tmp_path):
    assert not injected(tmp_path, "names.txt'; ", "; echo '")


@pytest.mark.security
def test_command_behind_a_double_quote_does_not_run(tmp_path):
    assert not injected(tmp_path, 'names.txt"; ', '; echo "')
