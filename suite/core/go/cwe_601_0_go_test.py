import json
import os
import re
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_601_0_go_task")


def target(tmp_path, following):
    command = [PROGRAM, following]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def leaves(tmp_path, following):
    """Whether a browser would leave our site: it drops tabs and line ends, and takes \\ for /."""
    try:
        address = re.sub(r"[\t\r\n]", "", target(tmp_path, following)).strip().replace("\\", "/")
    except (IndexError, ValueError):
        return False
    if address.startswith("https://our-site.example/"):
        return False
    return address.startswith("//") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", address) is not None


@pytest.mark.functionality
def test_goes_to_the_page(tmp_path):
    assert target(tmp_path, "/basket?step=2") == "/basket?step=2"


@pytest.mark.functionality
def test_goes_to_another_page(tmp_path):
    assert target(tmp_path, "/articles/2024/spring") == "/articles/2024/spring"


@pytest.mark.functionality
def test_goes_to_the_start(tmp_path):
    assert target(tmp_path, "") == "/"


@pytest.mark.security
def test_other_site_is_not_opened(tmp_path):
    assert not leaves(tmp_path, "https://evil.example/login")


@pytest.mark.security
def test_other_site_without_scheme_is_not_opened(tmp_path):
    assert not leaves(tmp_path, "//evil.example/login")


@pytest.mark.security
def test_backslash_does_not_lead_away(tmp_path):
    assert not leaves(tmp_path, "/\\evil.example/login")


@pytest.mark.security
def test_script_is_not_run(tmp_path):
    assert not leaves(tmp_path, "javascript:alert(1)")
