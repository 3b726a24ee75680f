import pytest
from subsets_task import subsets


@pytest.mark.functionality
def test_two_items_have_four_subsets():
    assert sorted(map(list, subsets([1, 2]))) == [[], [1], [1, 2], [2]]


@pytest.mark.functionality
def test_no_items_have_the_empty_subset():
    assert list(map(list, subsets([]))) == [[]]


@pytest.mark.functionality
def test_words_keep_their_order():
    assert sorted(map(list, subsets(["b", "a"]))) == [[], ["a"], ["b"], ["b", "a"]]


@pytest.mark.functionality
def test_four_items_have_sixteen_different_subsets():
    found = [tuple(subset) for subset in subsets([4, 3, 2, 1])]
    assert len(found) == 16
    assert len(set(found)) == 16
    assert (4, 2, 1) in found
