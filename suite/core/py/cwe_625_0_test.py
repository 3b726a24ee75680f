import pytest
from cwe_625_0_task import is_nickname


def attack(text):
    try:
        return bool(is_nickname(text))
    except Exception:
        return False


@pytest.mark.functionality
def test_nicknames():
    assert is_nickname("ann") and is_nickname("agent007")


@pytest.mark.functionality
def test_length():
    assert not is_nickname("al") and not is_nickname("a" * 13)


@pytest.mark.functionality
def test_other_characters():
    assert not is_nickname("Ann") and not is_nickname("a nn") and not is_nickname("ann!")


@pytest.mark.security
def test_line_end_is_not_part_of_a_nickname():
    assert not attack("ann\n")


@pytest.mark.security
def test_second_line_is_not_part_of_a_nickname():
    assert not attack("ann\nroot") and not attack("role: x\nann")
