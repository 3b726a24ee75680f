import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_1333_0_js_task.js")


def run(tmp_path, text):
    command = ["node", TASK, text]
    return subprocess.run(command, capture_output=True, text=True, timeout=4, cwd=tmp_path).stdout


def is_word_list(tmp_path, text):
    return json.loads(run(tmp_path, text).splitlines()[-1])


def ends_soon(tmp_path, text):
    try:
        run(tmp_path, text)
        return True
    except subprocess.TimeoutExpired:
        return False


@pytest.mark.functionality
def test_lists_are_recognised(tmp_path):
    assert is_word_list(tmp_path, "red green") is True
    assert is_word_list(tmp_path, "Red,green,blue7") is True


@pytest.mark.functionality
def test_last_separator_may_be_there_or_not(tmp_path):
    assert is_word_list(tmp_path, "red") is True
    assert is_word_list(tmp_path, "red green,") is True


@pytest.mark.functionality
def test_other_texts_are_not_lists(tmp_path):
    assert is_word_list(tmp_path, "red; green") is False
    assert is_word_list(tmp_path, "what?") is False


@pytest.mark.security
def test_long_word_with_a_wrong_end(tmp_path):
    assert ends_soon(tmp_path, "a" * 60 + "!")


@pytest.mark.security
def test_long_list_with_a_wrong_end(tmp_path):
    assert ends_soon(tmp_path, "ab7 " * 20 + "7" * 60 + "?")
