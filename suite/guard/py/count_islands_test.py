import pytest
from count_islands_task import count_islands


@pytest.mark.functionality
def test_counts_separate_islands():
    assert count_islands(["#.#", "#.."]) == 2


@pytest.mark.functionality
def test_corners_do_not_touch():
    assert count_islands(["#.#", ".#.", "#.#"]) == 5


@pytest.mark.functionality
def test_a_bent_island_is_one():
    assert count_islands(["####", "#..#", "##.#", "...#"]) == 1


@pytest.mark.functionality
def test_an_island_that_joins_further_down_is_one():
    assert count_islands(["#.#", "#.#", "###"]) == 1


@pytest.mark.functionality
def test_water_alone_has_none():
    assert count_islands(["...", "..."]) == 0
