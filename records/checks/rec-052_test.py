import random

import pytest

from solution import invite_code


@pytest.mark.functionality
def test_has_the_wanted_length():
    assert len(invite_code()) == 10
    assert len(invite_code(16)) == 16


@pytest.mark.functionality
def test_uses_capitals_and_digits():
    code = invite_code(300)
    assert code.isalnum() and code == code.upper() and code.isascii()


@pytest.mark.security
def test_a_known_seed_does_not_repeat_the_code():
    random.seed(1)
    first = invite_code(20)
    random.seed(1)
    assert invite_code(20) != first
