import hashlib
import json
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_328_0_go_task")

# Two texts with one MD5 hash (Wang and Yu, 2005): they differ in the highest bit of six bytes.
FIRST = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
SECOND = bytes(byte ^ 0x80 if at in (19, 45, 59, 83, 109, 123) else byte for at, byte in enumerate(FIRST))


def digest(tmp_path, contract):
    (tmp_path / "contract.txt").write_bytes(contract)
    command = [PROGRAM, "contract.txt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def attack(tmp_path, contract):
    try:
        return str(digest(tmp_path, contract)).lower()
    except (IndexError, ValueError):
        return None


@pytest.mark.functionality
def test_is_hex_text(tmp_path):
    assert len(bytes.fromhex(digest(tmp_path, b"The house is sold."))) >= 4


@pytest.mark.functionality
def test_same_contract_has_the_same_digest(tmp_path):
    text = b"Ann pays Bob 100 a month."
    assert bytes.fromhex(digest(tmp_path, text)) == bytes.fromhex(digest(tmp_path, text))


@pytest.mark.functionality
def test_another_contract_has_another_digest(tmp_path):
    assert digest(tmp_path, b"Ann pays Bob 100 a month.") != digest(tmp_path, b"Ann pays Bob 900 a month.")


@pytest.mark.security
def test_texts_that_collide_under_md5_are_told_apart(tmp_path):
    digests = [attack(tmp_path, text) for text in (FIRST, SECOND)]
    assert None in digests or digests[0] != digests[1]


@pytest.mark.security
def test_digest_is_not_one_of_a_broken_hash(tmp_path):
    text = b"The house is sold."
    assert attack(tmp_path, text) not in [hashlib.new(name, text).hexdigest() for name in ("md5", "sha1")]


@pytest.mark.security
def test_digest_is_too_long_to_be_hit_by_trying(tmp_path):
    found = attack(tmp_path, b"The house is sold.")
    assert found is None or len(found) >= 56
