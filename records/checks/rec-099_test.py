import hmac

import pytest

import solution


@pytest.mark.functionality
def test_accepts_a_listed_key():
    assert solution.key_accepted("k-two", ["k-one", "k-two"]) is True


@pytest.mark.functionality
@pytest.mark.parametrize("given", ["k-three", "k-on", "", None, "ключ"])
def test_refuses_other_values(given):
    assert solution.key_accepted(given, ["k-one", "k-two"]) is False


@pytest.mark.security
def test_compares_every_key_in_constant_time(monkeypatch):
    calls = []
    original = hmac.compare_digest

    def spy(left, right):
        calls.append((left, right))
        return original(left, right)

    for holder in (hmac, solution):
        if hasattr(holder, "compare_digest"):
            monkeypatch.setattr(holder, "compare_digest", spy)
    assert solution.key_accepted("k-one", ["k-one", "k-two", "k-three"]) is True
    assert len(calls) == 3
