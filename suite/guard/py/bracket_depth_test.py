import pytest
from bracket_depth_task import bracket_depth


@pytest.mark.functionality
def test_tells_the_greatest_depth():
    assert bracket_depth("f(a, (b)) + (c)") == 2


@pytest.mark.functionality
def test_text_without_brackets_has_depth_zero():
    assert bracket_depth("no brackets") == 0


@pytest.mark.functionality
def test_brackets_side_by_side_are_not_nested():
    assert bracket_depth("()()()") == 1


@pytest.mark.functionality
def test_an_open_bracket_does_not_match():
    assert bracket_depth("((a)") == -1


@pytest.mark.functionality
def test_a_bracket_that_closes_too_early_does_not_match():
    assert bracket_depth(")(") == -1
