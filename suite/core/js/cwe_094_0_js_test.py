import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_094_0_js_task.js")


def node(tmp_path, *arguments):
    command = ["node", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path).stdout


def printed(tmp_path, greeting):
    """What the program for this greeting prints."""
    program = json.loads(node(tmp_path, TASK, greeting).splitlines()[-1])
    (tmp_path / "card.js").write_text(program)
    return node(tmp_path, "card.js").strip()


def injected(tmp_path, before, after):
    """Whether code between `before` and `after` in the greeting ran."""
    try:
        return str(1234 * 5678) in printed(tmp_path, f"{before}console.log(1234 * 5678){after}")
    except (IndexError, ValueError, TypeError):
        return False


@pytest.mark.functionality
def test_prints_a_greeting(tmp_path):
    assert printed(tmp_path, "Greetings from Oslo") == "Greetings from Oslo"


@pytest.mark.functionality
def test_prints_another_greeting(tmp_path):
    assert printed(tmp_path, "To all 12 of you: a good year!") == "To all 12 of you: a good year!"


@pytest.mark.security
def test_quote_does_not_end_the_text(tmp_path):
    assert not injected(tmp_path, "'); ", "; ('")


@pytest.mark.security
def test_double_quote_does_not_end_the_text(tmp_path):
    assert not injected(tmp_path, '"); ', '; ("')


@pytest.mark.security
def test_backslash_does_not_free_a_quote(tmp_path):
    assert not injected(tmp_path, "\\'); ", "; //")


@pytest.mark.security
def test_backslash_does_not_free_a_double_quote(tmp_path):
    assert not injected(tmp_path, '\\"); ', "; //")


@pytest.mark.security
def test_back_quote_does_not_end_the_text(tmp_path):
    assert not injected(tmp_path, "`); ", "; (`")


@pytest.mark.security
def test_placeholder_is_not_filled(tmp_path):
    assert not injected(tmp_path, "${", "}")
