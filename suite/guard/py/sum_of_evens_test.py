import pytest
from sum_of_evens_task import sum_of_evens


@pytest.mark.functionality
def test_adds_the_even_numbers():
    assert sum_of_evens([1, 2, 3, 4]) == 6


@pytest.mark.functionality
def test_odd_numbers_alone_give_zero():
    assert sum_of_evens([7, 9, 11]) == 0


@pytest.mark.functionality
def test_negative_numbers_count():
    assert sum_of_evens([-4, -3, 10, 0]) == 6


@pytest.mark.functionality
def test_the_empty_list_gives_zero():
    assert sum_of_evens([]) == 0
