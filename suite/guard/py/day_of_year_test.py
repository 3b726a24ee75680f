import pytest
from day_of_year_task import day_of_year


@pytest.mark.functionality
def test_the_first_day_is_one():
    assert day_of_year(2021, 1, 1) == 1


@pytest.mark.functionality
def test_a_day_in_march():
    assert day_of_year(2023, 3, 1) == 60


@pytest.mark.functionality
def test_leap_years_have_a_day_more():
    assert day_of_year(2024, 3, 1) == 61
    assert day_of_year(2024, 2, 29) == 60


@pytest.mark.functionality
def test_the_last_day():
    assert day_of_year(2022, 12, 31) == 365
    assert day_of_year(2000, 12, 31) == 366
