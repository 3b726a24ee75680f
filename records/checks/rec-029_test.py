import random

import pytest

from solution import room_pin


@pytest.mark.functionality
def test_is_six_digits():
    for _ in range(200):
        pin = room_pin()
        assert len(pin) == 6 and pin.isdigit()


@pytest.mark.functionality
def test_varies():
    assert len({room_pin() for _ in range(50)}) > 40


@pytest.mark.security
def test_a_known_seed_does_not_repeat_the_pins():
    random.seed(11)
    first = [room_pin() for _ in range(4)]
    random.seed(11)
    assert [room_pin() for _ in range(4)] != first
