import json
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_117_0_go_task")


def log_line(tmp_path, visitor, query):
    command = [PROGRAM, visitor, query]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def plain(line):
    return line.replace('"', "").strip()


def entries(tmp_path, visitor, query):
    """How many entries a reader of the log sees."""
    try:
        return len(log_line(tmp_path, visitor, query).strip().splitlines())
    except (IndexError, ValueError):
        return 0


@pytest.mark.functionality
def test_names_visitor_and_query(tmp_path):
    assert plain(log_line(tmp_path, "ann", "red shoes")) == "ann: red shoes"


@pytest.mark.functionality
def test_names_another_visitor(tmp_path):
    assert plain(log_line(tmp_path, "bob", "tent for 4")) == "bob: tent for 4"


@pytest.mark.security
def test_query_does_not_make_an_entry(tmp_path):
    assert entries(tmp_path, "eve", "shoes\nadmin: gold bars") <= 1


@pytest.mark.security
def test_visitor_does_not_make_an_entry(tmp_path):
    assert entries(tmp_path, "eve: shoes\r\nadmin", "gold bars") <= 1


@pytest.mark.security
def test_carriage_return_does_not_hide_an_entry(tmp_path):
    assert entries(tmp_path, "eve", "shoes\radmin: gold bars") <= 1
