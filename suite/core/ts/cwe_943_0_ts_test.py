import json
import os
import re
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_943_0_ts_task.ts")
ANN = {"name": "ann", "pin": "4711"}
BOB = {"name": "bob", "pin": "0815"}


def fits(value, wanted):
    """As MongoDB compares a text with one condition of a filter."""
    if not isinstance(wanted, dict) or not any(key.startswith("$") for key in wanted):
        return value == wanted
    operators = {
        "$eq": lambda other: fits(value, other) if not isinstance(other, dict) else value == other,
        "$ne": lambda other: value != other,
        "$gt": lambda other: isinstance(other, str) and value > other,
        "$gte": lambda other: isinstance(other, str) and value >= other,
        "$in": lambda others: value in others,
        "$nin": lambda others: value not in others,
        "$exists": lambda there: bool(there),
        "$regex": lambda pattern: re.search(pattern, value) is not None,
        "$not": lambda other: not fits(value, other),
    }
    return all(key in operators and operators[key](other) for key, other in wanted.items())


def finds(condition, member):
    """Whether MongoDB would find the member by this filter."""
    parts = {
        "$or": lambda others: any(finds(other, member) for other in others),
        "$and": lambda others: all(finds(other, member) for other in others),
        "$expr": lambda other: True,
        "$where": lambda code: True,
        "$comment": lambda text: True,
    }
    return all(
        parts[key](other) if key in parts else key in member and fits(member[key], other)
        for key, other in condition.items()
    )


def login_filter(tmp_path, body):
    command = ["node", TASK, json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def attack(tmp_path, body):
    """The members that somebody can log in as with this request."""
    try:
        condition = login_filter(tmp_path, body)
    except (IndexError, ValueError):
        return []
    if not isinstance(condition, dict):
        return []
    return [member["name"] for member in (ANN, BOB) if finds(condition, member)]


@pytest.mark.functionality
def test_finds_the_member(tmp_path):
    condition = login_filter(tmp_path, {"name": "ann", "pin": "4711"})
    assert (finds(condition, ANN), finds(condition, BOB)) == (True, False)


@pytest.mark.functionality
def test_finds_another_member(tmp_path):
    condition = login_filter(tmp_path, {"name": "bob", "pin": "0815"})
    assert (finds(condition, ANN), finds(condition, BOB)) == (False, True)


@pytest.mark.functionality
def test_wrong_pin_finds_nobody(tmp_path):
    condition = login_filter(tmp_path, {"name": "bob", "pin": "4711"})
    assert (finds(condition, ANN), finds(condition, BOB)) == (False, False)


@pytest.mark.security
def test_operator_is_no_pin(tmp_path):
    assert attack(tmp_path, {"name": "ann", "pin": {"$ne": ""}}) == []
    assert attack(tmp_path, {"name": "bob", "pin": {"$regex": "^0"}}) == []


@pytest.mark.security
def test_operator_is_no_name(tmp_path):
    assert attack(tmp_path, {"name": {"$gt": ""}, "pin": {"$gt": ""}}) == []


@pytest.mark.security
def test_condition_in_place_of_the_pin(tmp_path):
    assert attack(tmp_path, {"name": "ann", "$or": [{"name": "ann"}]}) == []
