import pytest
from days_in_month_task import days_in_month


@pytest.mark.functionality
def test_long_months():
    assert [days_in_month(2023, month) for month in (1, 3, 5, 7, 8, 10, 12)] == [31] * 7


@pytest.mark.functionality
def test_short_months():
    assert [days_in_month(2024, month) for month in (4, 6, 9, 11)] == [30] * 4


@pytest.mark.functionality
def test_february():
    assert days_in_month(2023, 2) == 28


@pytest.mark.functionality
def test_february_every_fourth_year():
    assert days_in_month(2024, 2) == 29
    assert days_in_month(1996, 2) == 29


@pytest.mark.functionality
def test_february_in_full_centuries():
    assert days_in_month(1900, 2) == 28
    assert days_in_month(2000, 2) == 29
