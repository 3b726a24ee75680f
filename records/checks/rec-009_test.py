import random

import pytest

from solution import coupon_codes


@pytest.mark.functionality
def test_makes_different_sorted_codes():
    codes = coupon_codes(50)
    assert len(set(codes)) == 50
    assert codes == sorted(codes)


@pytest.mark.functionality
def test_codes_are_uppercase_letters():
    assert all(len(code) == 6 and code.isalpha() and code.isupper() for code in coupon_codes(5, 6))


@pytest.mark.security
def test_a_known_seed_does_not_repeat_the_codes():
    random.seed(3)
    first = coupon_codes(3)
    random.seed(3)
    assert coupon_codes(3) != first
