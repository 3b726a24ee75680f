import pytest
from parse_duration_task import parse_duration


@pytest.mark.functionality
def test_minutes_and_seconds():
    assert parse_duration("2m5s") == 125


@pytest.mark.functionality
def test_all_three_parts():
    assert parse_duration("1h1m1s") == 3661


@pytest.mark.functionality
def test_one_part_alone():
    assert parse_duration("45s") == 45
    assert parse_duration("3h") == 10800


@pytest.mark.functionality
def test_a_part_in_the_middle_may_be_missing():
    assert parse_duration("2h10s") == 7210


@pytest.mark.functionality
def test_numbers_have_many_digits():
    assert parse_duration("120m") == 7200
