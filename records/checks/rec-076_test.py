import hashlib
import hmac

import pytest

import solution


def sign(body, key):
    return hmac.new(key, body, hashlib.sha256).hexdigest()


@pytest.fixture
def comparisons(monkeypatch):
    """The calls of the constant-time comparison."""
    calls = []
    original = hmac.compare_digest

    def spy(left, right):
        calls.append((left, right))
        return original(left, right)

    for holder in (hmac, solution):
        if hasattr(holder, "compare_digest"):
            monkeypatch.setattr(holder, "compare_digest", spy)
    return calls


@pytest.mark.functionality
def test_accepts_the_right_signature():
    assert solution.webhook_valid(b'{"paid": 1}', sign(b'{"paid": 1}', b"key"), b"key") is True


@pytest.mark.functionality
def test_refuses_other_signatures():
    good = sign(b"x", b"key")
    assert solution.webhook_valid(b"y", good, b"key") is False
    assert solution.webhook_valid(b"x", good[:-1], b"key") is False
    assert solution.webhook_valid(b"x", "", b"key") is False


@pytest.mark.security
def test_compares_in_constant_time(comparisons):
    assert solution.webhook_valid(b"x", sign(b"x", b"key"), b"key") is True
    assert len(comparisons) == 1
