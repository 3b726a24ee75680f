import pytest
from robot_position_task import robot_position


@pytest.mark.functionality
def test_forward_and_right():
    assert tuple(robot_position("FFRF")) == (1, 2)


@pytest.mark.functionality
def test_left_is_west():
    assert tuple(robot_position("LFFF")) == (-3, 0)


@pytest.mark.functionality
def test_turning_alone_stays_in_place():
    assert tuple(robot_position("LRRLL")) == (0, 0)


@pytest.mark.functionality
def test_a_square_leads_back():
    assert tuple(robot_position("FFRFFRFFRFF")) == (0, 0)


@pytest.mark.functionality
def test_two_turns_look_south():
    assert tuple(robot_position("RRFLF")) == (1, -1)
