import pytest
from longest_rise_task import longest_rise


@pytest.mark.functionality
def test_finds_the_stretch_in_the_middle():
    assert longest_rise([5, 1, 2, 4, 3]) == 3


@pytest.mark.functionality
def test_finds_the_stretch_at_the_end():
    assert longest_rise([4, 3, 5, 6, 9]) == 4


@pytest.mark.functionality
def test_equal_numbers_end_a_stretch():
    assert longest_rise([1, 2, 2, 3]) == 2


@pytest.mark.functionality
def test_falling_numbers_have_stretches_of_one():
    assert longest_rise([3, 2, 1]) == 1


@pytest.mark.functionality
def test_no_numbers_have_none():
    assert longest_rise([]) == 0
