import pytest
from count_partitions_task import count_partitions


@pytest.mark.functionality
def test_four_has_five():
    assert count_partitions(4) == 5


@pytest.mark.functionality
def test_one_has_one():
    assert count_partitions(1) == 1


@pytest.mark.functionality
def test_the_order_of_the_parts_does_not_matter():
    assert count_partitions(3) == 3


@pytest.mark.functionality
def test_greater_numbers():
    assert count_partitions(10) == 42
    assert count_partitions(20) == 627
