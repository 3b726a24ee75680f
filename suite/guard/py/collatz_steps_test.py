import pytest
from collatz_steps_task import collatz_steps


@pytest.mark.functionality
def test_counts_the_steps():
    assert collatz_steps(6) == 8


@pytest.mark.functionality
def test_one_needs_no_step():
    assert collatz_steps(1) == 0


@pytest.mark.functionality
def test_a_power_of_two_is_only_halved():
    assert collatz_steps(64) == 6


@pytest.mark.functionality
def test_a_long_way():
    assert collatz_steps(27) == 111
