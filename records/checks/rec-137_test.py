from types import SimpleNamespace

import pytest

from solution import confirmation

BOOKING = SimpleNamespace(name="Ada", nights=3, room="12b", price_paid="199 EUR")


def attempt(text):
    try:
        return confirmation(text, BOOKING)
    except Exception:
        return ""


@pytest.mark.functionality
def test_fills_the_gaps():
    assert confirmation("Dear {name}, room {room}, {nights} nights.", BOOKING) == "Dear Ada, room 12b, 3 nights."


@pytest.mark.functionality
def test_a_gap_may_come_twice_or_never():
    assert confirmation("{name}! {name}!", BOOKING) == "Ada! Ada!"
    assert confirmation("See you.", BOOKING) == "See you."


@pytest.mark.security
def test_a_gap_does_not_reach_into_objects():
    assert "class" not in attempt("{name.__class__}").replace("__class__", "")
    assert "method" not in attempt("{nights.__add__}")


@pytest.mark.security
def test_no_width_is_taken_from_the_text():
    assert len(attempt("{nights:>1000000}")) < 100
