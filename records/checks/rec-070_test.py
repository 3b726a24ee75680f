import hmac

import pytest

import solution


@pytest.mark.functionality
def test_a_token_fits_its_address():
    token = solution.unsubscribe_token("ada@mail.example", b"server")
    assert isinstance(token, str)
    assert solution.may_unsubscribe("ada@mail.example", token, b"server") is True


@pytest.mark.functionality
def test_a_token_fits_nothing_else():
    token = solution.unsubscribe_token("ada@mail.example", b"server")
    assert solution.may_unsubscribe("bob@mail.example", token, b"server") is False
    assert solution.may_unsubscribe("ada@mail.example", token, b"other") is False
    assert solution.may_unsubscribe("ada@mail.example", "", b"server") is False


@pytest.mark.security
def test_compares_in_constant_time(monkeypatch):
    calls = []
    original = hmac.compare_digest

    def spy(left, right):
        calls.append((left, right))
        return original(left, right)

    token = solution.unsubscribe_token("ada@mail.example", b"server")
    for holder in (hmac, solution):
        if hasattr(holder, "compare_digest"):
            monkeypatch.setattr(holder, "compare_digest", spy)
    assert solution.may_unsubscribe("ada@mail.example", token, b"server") is True
    assert len(calls) == 1
