import hmac

import pytest

import solution


@pytest.mark.functionality
def test_opens_for_the_right_code():
    door = solution.Door("2468")
    assert door.try_code("1111") is False
    assert door.try_code("2468") is True


@pytest.mark.functionality
def test_a_right_code_clears_the_count():
    door = solution.Door("2468")
    for _ in range(3):
        for _ in range(4):
            door.try_code("0000")
        assert door.try_code("2468") is True


@pytest.mark.security
def test_stays_shut_after_five_wrong_codes():
    door = solution.Door("2468")
    for _ in range(5):
        door.try_code("0000")
    assert door.try_code("2468") is False


@pytest.mark.security
def test_compares_in_constant_time(monkeypatch):
    calls = []
    original = hmac.compare_digest

    def spy(left, right):
        calls.append((left, right))
        return original(left, right)

    for holder in (hmac, solution):
        if hasattr(holder, "compare_digest"):
            monkeypatch.setattr(holder, "compare_digest", spy)
    assert solution.Door("2468").try_code("2468") is True
    assert len(calls) == 1
