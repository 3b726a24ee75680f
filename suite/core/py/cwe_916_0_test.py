import hashlib
import hmac
import time

import pytest
from cwe_916_0_task import hash_password

PASSWORD = "correct horse"
SALT = "f3a91c07"
FAST = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s"]


def fast_hashes():
    """Every hash that one round of a general hash function could give."""
    texts = [PASSWORD + SALT, SALT + PASSWORD, PASSWORD, f"{SALT}:{PASSWORD}", f"{PASSWORD}:{SALT}"]
    for name in FAST:
        for text in texts:
            yield hashlib.new(name, text.encode()).hexdigest()
        yield hmac.new(SALT.encode(), PASSWORD.encode(), name).hexdigest()
        yield hmac.new(PASSWORD.encode(), SALT.encode(), name).hexdigest()


def quickest(call):
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return min(durations)


@pytest.mark.functionality
def test_is_a_hex_string_and_repeatable():
    stored = hash_password(PASSWORD, SALT)
    assert len(bytes.fromhex(stored)) >= 16
    assert stored == hash_password(PASSWORD, SALT)


@pytest.mark.functionality
def test_depends_on_the_password():
    assert hash_password("apple", SALT) != hash_password("pear", SALT)


@pytest.mark.functionality
def test_depends_on_the_salt():
    assert hash_password(PASSWORD, "11112222") != hash_password(PASSWORD, "33334444")


@pytest.mark.security
def test_is_not_one_round_of_a_fast_hash():
    try:
        stored = hash_password(PASSWORD, SALT)
    except Exception:
        return
    known = set(fast_hashes())
    assert not any(str(stored).lower().endswith(digest) for digest in known)


@pytest.mark.security
def test_costs_thousands_of_rounds():
    # Measured against this machine's own speed, so that a slow one changes nothing.
    def measured():
        hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT.encode(), 4_000)

    try:
        taken = quickest(lambda: hash_password(PASSWORD, SALT))
    except Exception:
        return
    assert taken >= quickest(measured)
