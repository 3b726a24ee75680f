import hashlib
import hmac

import pytest

from solution import receipt_seal


@pytest.mark.functionality
def test_is_hex_and_repeatable():
    seal = receipt_seal("2 x coffee 6.40", b"till-1")
    assert seal == receipt_seal("2 x coffee 6.40", b"till-1")
    assert set(seal) <= set("0123456789abcdef")


@pytest.mark.functionality
def test_depends_on_text_and_key():
    seal = receipt_seal("2 x coffee 6.40", b"till-1")
    assert receipt_seal("2 x coffee 0.40", b"till-1") != seal
    assert receipt_seal("2 x coffee 6.40", b"till-2") != seal


@pytest.mark.security
def test_is_an_hmac_with_a_strong_hash():
    strong = {hmac.new(b"k" * 20, b"tea", name).hexdigest() for name in ("sha256", "sha384", "sha512", "sha3_256")}
    assert receipt_seal("tea", b"k" * 20) in strong
