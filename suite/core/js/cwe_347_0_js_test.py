import base64
import hashlib
import hmac
import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_347_0_js_task.js")
KEY = "k3y-0f-our-own-server-and-no-other"
ADMIN = {"name": "eve", "role": "admin"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(payload, key=KEY, algorithm="HS256"):
    header = {"alg": algorithm, "typ": "JWT"}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
    if algorithm == "none":
        return f"{text}."
    return f"{text}.{base64url(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}"


def read(tmp_path, text):
    command = ["node", TASK, text, KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def believed(tmp_path, text):
    """Whether the program takes the bearer of the token for an administrator."""
    try:
        return "admin" in json.dumps(read(tmp_path, text))
    except (IndexError, ValueError):
        return False


@pytest.mark.functionality
def test_reads_a_token(tmp_path):
    assert read(tmp_path, token({"name": "ann"})) == {"name": "ann"}


@pytest.mark.functionality
def test_reads_another_token(tmp_path):
    payload = {"name": "bob", "role": "guest", "visits": 12}
    assert read(tmp_path, token(payload)) == payload


@pytest.mark.security
def test_changed_payload_is_not_believed(tmp_path):
    header, _, signature = token({"name": "eve", "role": "guest"}).split(".")
    assert not believed(tmp_path, f"{header}.{base64url(json.dumps(ADMIN).encode())}.{signature}")


@pytest.mark.security
def test_other_key_is_not_believed(tmp_path):
    assert not believed(tmp_path, token(ADMIN, key="a key that eve made up"))


@pytest.mark.security
def test_token_without_signature_is_not_believed(tmp_path):
    assert not believed(tmp_path, token(ADMIN, algorithm="none"))
