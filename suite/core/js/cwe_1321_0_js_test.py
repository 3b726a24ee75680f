import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_1321_0_js_task.js")


def count(tmp_path, *calls):
    """The result of the last of some calls, made one after the other in one process."""
    votes = [[{"poll": poll, "choice": choice} for poll, choice in call] for call in calls]
    command = ["node", TASK, json.dumps(votes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.functionality
def test_counts_one_poll(tmp_path):
    assert count(tmp_path, [("pets", "cat"), ("pets", "dog"), ("pets", "cat")]) == {
        "pets": {"cat": 2, "dog": 1}
    }


@pytest.mark.functionality
def test_counts_two_polls(tmp_path):
    assert count(tmp_path, [("pets", "cat"), ("food", "soup"), ("food", "rice")]) == {
        "pets": {"cat": 1},
        "food": {"soup": 1, "rice": 1},
    }


@pytest.mark.functionality
def test_each_call_counts_anew(tmp_path):
    assert count(tmp_path, [("pets", "cat")], [("pets", "cat")]) == {"pets": {"cat": 1}}


@pytest.mark.security
def test_later_count_is_not_forged(tmp_path):
    forged = [("__proto__", "cat")] * 3
    assert count(tmp_path, forged, [("pets", "cat")]) == {"pets": {"cat": 1}}


@pytest.mark.security
def test_later_poll_does_not_vanish(tmp_path):
    assert count(tmp_path, [("__proto__", "pets")], [("pets", "cat")]) == {"pets": {"cat": 1}}
