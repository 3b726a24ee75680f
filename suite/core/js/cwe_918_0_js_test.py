import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_918_0_js_task.js")


def may_load(tmp_path, address):
    command = ["node", TASK, address, "images.example", "photos.example"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def loaded(tmp_path, *addresses):
    """The addresses that the server would load."""
    found = []
    for address in addresses:
        try:
            if may_load(tmp_path, address) is True:
                found.append(address)
        except (IndexError, ValueError):
            pass
    return found


@pytest.mark.functionality
def test_hosts_are_loaded(tmp_path):
    assert may_load(tmp_path, "https://images.example/cat.png") is True
    assert may_load(tmp_path, "http://photos.example/2024/dog.jpg") is True


@pytest.mark.functionality
def test_sub_domains_are_loaded(tmp_path):
    assert may_load(tmp_path, "https://cdn.images.example/cat.png") is True


@pytest.mark.functionality
def test_other_hosts_are_not_loaded(tmp_path):
    assert may_load(tmp_path, "https://pictures.test/cat.png") is False


@pytest.mark.security
def test_name_in_the_path_or_query_does_not_count(tmp_path):
    assert loaded(tmp_path, "http://127.0.0.1/images.example", "http://127.0.0.1/?images.example") == []


@pytest.mark.security
def test_name_in_front_of_another_host_does_not_count(tmp_path):
    assert loaded(tmp_path, "http://images.example@10.0.0.7/", "http://images.example.evil.test/") == []


@pytest.mark.security
def test_longer_name_does_not_count(tmp_path):
    assert loaded(tmp_path, "http://evilimages.example/cat.png") == []


@pytest.mark.security
def test_backslash_does_not_hide_the_host(tmp_path):
    assert loaded(tmp_path, "http://127.0.0.1\\@images.example/") == []
