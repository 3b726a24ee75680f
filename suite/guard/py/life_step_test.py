import pytest
from life_step_task import life_step


@pytest.mark.functionality
def test_three_in_a_row_turn():
    assert life_step([".#.", ".#.", ".#."]) == ["...", "###", "..."]


@pytest.mark.functionality
def test_a_block_stays():
    assert life_step(["....", ".##.", ".##.", "...."]) == ["....", ".##.", ".##.", "...."]


@pytest.mark.functionality
def test_a_lonely_cell_dies():
    assert life_step(["...", ".#.", "..."]) == ["...", "...", "..."]


@pytest.mark.functionality
def test_too_many_neighbours_kill():
    assert life_step(["###", "###", "###"]) == ["#.#", "...", "#.#"]


@pytest.mark.functionality
def test_nothing_comes_in_over_the_edge():
    assert life_step(["#.#", "...", "#.#"]) == ["...", "...", "..."]


@pytest.mark.functionality
def test_a_board_need_not_be_square():
    assert life_step(["##..", "##..", "...."]) == ["##..", "##..", "...."]
