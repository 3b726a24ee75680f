import pytest
from initials_task import initials


@pytest.mark.functionality
def test_takes_the_first_letters():
    assert initials("grace brewster hopper") == "GBH"


@pytest.mark.functionality
def test_one_word_gives_one_letter():
    assert initials("plato") == "P"


@pytest.mark.functionality
def test_capitals_stay_capitals():
    assert initials("Mary ann Evans") == "MAE"


@pytest.mark.functionality
def test_spaces_at_the_ends_and_double_spaces_do_not_count():
    assert initials("  john   smith ") == "JS"


@pytest.mark.functionality
def test_no_name_has_no_letters():
    assert initials("") == ""
