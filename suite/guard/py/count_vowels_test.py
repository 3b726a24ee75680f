import pytest
from count_vowels_task import count_vowels


@pytest.mark.functionality
def test_counts_small_letters():
    assert count_vowels("banana") == 3


@pytest.mark.functionality
def test_counts_capital_letters():
    assert count_vowels("AEIOU and Ida") == 8


@pytest.mark.functionality
def test_other_letters_do_not_count():
    assert count_vowels("rhythm, 123!") == 0


@pytest.mark.functionality
def test_the_empty_text_has_none():
    assert count_vowels("") == 0
