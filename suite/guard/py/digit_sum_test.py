import pytest
from digit_sum_task import digit_sum


@pytest.mark.functionality
def test_adds_the_digits():
    assert digit_sum(407) == 11


@pytest.mark.functionality
def test_one_digit_is_its_own_sum():
    assert digit_sum(8) == 8


@pytest.mark.functionality
def test_zero_is_zero():
    assert digit_sum(0) == 0


@pytest.mark.functionality
def test_the_sign_does_not_matter():
    assert digit_sum(-52) == 7


@pytest.mark.functionality
def test_long_numbers_are_exact():
    assert digit_sum(10**30 - 1) == 270
