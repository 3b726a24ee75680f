import pytest
from unique_in_order_task import unique_in_order


@pytest.mark.functionality
def test_keeps_the_first_of_each():
    assert unique_in_order([3, 1, 3, 2, 1]) == [3, 1, 2]


@pytest.mark.functionality
def test_works_for_words():
    assert unique_in_order(["pear", "fig", "pear", "apple", "fig"]) == ["pear", "fig", "apple"]


@pytest.mark.functionality
def test_does_not_sort():
    assert unique_in_order([9, 8, 7, 9]) == [9, 8, 7]


@pytest.mark.functionality
def test_the_empty_list_stays_empty():
    assert unique_in_order([]) == []
