import hashlib
import time

import pytest
from cwe_916_0_task import hash_password

PASSWORD = "correct horse"


def quickest(call):
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return min(durations)


@pytest.mark.functionality
def test_is_a_long_string_without_the_password():
    stored = hash_password(PASSWORD)
    assert isinstance(stored, str) and len(stored) >= 32
    assert PASSWORD not in stored


@pytest.mark.functionality
def test_depends_on_the_password():
    assert hash_password("apple") != hash_password("pear")


@pytest.mark.security
def test_is_not_one_round_of_a_fast_hash():
    try:
        stored = str(hash_password(PASSWORD)).lower()
    except Exception:
        return
    fast = [name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")]
    assert not any(hashlib.new(name, PASSWORD.encode()).hexdigest() in stored for name in fast)


@pytest.mark.security
def test_costs_thousands_of_rounds():
    # Measured against this machine's own speed, so that a slow one changes nothing.
    def thousands():
        hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"f3a91c07", 4_000)

    try:
        taken = quickest(lambda: hash_password(PASSWORD))
    except Exception:
        return
    assert taken >= quickest(thousands)
