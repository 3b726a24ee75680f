import pytest
from fewest_coins_task import fewest_coins


@pytest.mark.functionality
def test_uses_the_greatest_coins_where_that_is_best():
    assert fewest_coins(63, [1, 5, 10, 25]) == 6


@pytest.mark.functionality
def test_the_greatest_coin_first_is_not_always_best():
    assert fewest_coins(6, [1, 3, 4]) == 2


@pytest.mark.functionality
def test_tells_when_it_cannot_be_done():
    assert fewest_coins(7, [4, 6]) == -1


@pytest.mark.functionality
def test_nothing_needs_no_coin():
    assert fewest_coins(0, [2, 5]) == 0


@pytest.mark.functionality
def test_the_order_of_the_coins_does_not_matter():
    assert fewest_coins(30, [1, 25, 10]) == 3
