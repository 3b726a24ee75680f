import pytest
from waiting_times_task import waiting_times


@pytest.mark.functionality
def test_later_customers_wait_until_the_clerk_is_free():
    assert waiting_times([(0, 5), (2, 4), (12, 3)]) == [0, 3, 0]


@pytest.mark.functionality
def test_nobody_waits_when_there_is_time_between():
    assert waiting_times([(0, 2), (5, 2), (9, 1)]) == [0, 0, 0]


@pytest.mark.functionality
def test_waits_add_up():
    assert waiting_times([(0, 10), (1, 10), (2, 10), (3, 1)]) == [0, 9, 18, 27]


@pytest.mark.functionality
def test_the_first_customer_may_come_late():
    assert waiting_times([(7, 3), (8, 2), (20, 1)]) == [0, 2, 0]


@pytest.mark.functionality
def test_no_customers():
    assert waiting_times([]) == []
