import pytest
from reachable_task import reachable


@pytest.mark.functionality
def test_follows_the_arrows():
    assert reachable({"a": ["b"], "b": [], "c": ["a"]}, "a") == ["a", "b"]


@pytest.mark.functionality
def test_follows_several_arrows_in_a_row():
    assert reachable({"a": ["d"], "b": [], "c": ["b"], "d": ["c"], "e": ["a"]}, "a") == ["a", "b", "c", "d"]


@pytest.mark.functionality
def test_goes_round_in_a_circle_once():
    assert reachable({1: [2], 2: [3], 3: [1], 4: []}, 2) == [1, 2, 3]


@pytest.mark.functionality
def test_a_node_without_arrows_reaches_itself():
    assert reachable({"x": [], "y": ["x"]}, "x") == ["x"]
