import pytest
from run_lengths_task import run_lengths


@pytest.mark.functionality
def test_counts_each_run():
    assert run_lengths("aaabcc") == "a3b1c2"


@pytest.mark.functionality
def test_a_letter_that_comes_back_starts_a_new_run():
    assert run_lengths("aabaa") == "a2b1a2"


@pytest.mark.functionality
def test_the_last_run_counts_too():
    assert run_lengths("xyzzzz") == "x1y1z4"


@pytest.mark.functionality
def test_long_runs_have_more_digits():
    assert run_lengths("-" * 12) == "-12"


@pytest.mark.functionality
def test_the_empty_text_stays_empty():
    assert run_lengths("") == ""
