import pytest
from friday_the_13th_task import friday_the_13th


@pytest.mark.functionality
def test_three_of_them():
    assert friday_the_13th(2015) == [2, 3, 11]


@pytest.mark.functionality
def test_two_of_them():
    assert friday_the_13th(2020) == [3, 11]


@pytest.mark.functionality
def test_one_of_them():
    assert friday_the_13th(2021) == [8]


@pytest.mark.functionality
def test_a_leap_year_that_starts_on_a_sunday():
    assert friday_the_13th(2012) == [1, 4, 7]
