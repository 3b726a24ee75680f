import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_178_0_js_task.js")


def name_is_free(tmp_path, name, *taken):
    command = ["node", TASK, name, *taken]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def attack(tmp_path, name, *taken):
    try:
        return name_is_free(tmp_path, name, *taken)
    except (IndexError, ValueError):
        return False


@pytest.mark.functionality
def test_new_name_is_free(tmp_path):
    assert name_is_free(tmp_path, "carla", "admin", "ann", "bob") is True


@pytest.mark.functionality
def test_first_name_is_free(tmp_path):
    assert name_is_free(tmp_path, "Ann") is True


@pytest.mark.functionality
def test_same_name_is_taken(tmp_path):
    assert name_is_free(tmp_path, "ann", "admin", "ann", "bob") is False


@pytest.mark.security
def test_capital_letters_do_not_make_another_name(tmp_path):
    assert attack(tmp_path, "ADMIN", "admin", "ann") is not True


@pytest.mark.security
def test_small_letters_do_not_make_another_name(tmp_path):
    assert attack(tmp_path, "ann", "admin", "Ann") is not True
