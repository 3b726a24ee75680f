import pytest
from postfix_value_task import postfix_value


@pytest.mark.functionality
def test_operators_follow_their_operands():
    assert postfix_value("3 4 + 2 *") == 14


@pytest.mark.functionality
def test_one_number_is_its_own_value():
    assert postfix_value("17") == 17


@pytest.mark.functionality
def test_the_left_operand_comes_first():
    assert postfix_value("10 4 -") == 6


@pytest.mark.functionality
def test_results_wait_for_their_operator():
    assert postfix_value("5 1 2 + 4 * + 3 -") == 14


@pytest.mark.functionality
def test_numbers_may_be_negative():
    assert postfix_value("-3 -7 *") == 21
