import pytest
from hanoi_moves_task import hanoi_moves


def pegs_after(disks, moves):
    pegs = {"A": list(range(disks, 0, -1)), "B": [], "C": []}
    for source, target in moves:
        disk = pegs[source].pop()
        assert not pegs[target] or pegs[target][-1] > disk
        pegs[target].append(disk)
    return pegs


@pytest.mark.functionality
def test_two_disks():
    assert [tuple(move) for move in hanoi_moves(2)] == [("A", "B"), ("A", "C"), ("B", "C")]


@pytest.mark.functionality
def test_one_disk_takes_one_move():
    assert [tuple(move) for move in hanoi_moves(1)] == [("A", "C")]


@pytest.mark.functionality
def test_no_disk_takes_no_move():
    assert list(hanoi_moves(0)) == []


@pytest.mark.functionality
def test_all_disks_arrive_in_order():
    moves = hanoi_moves(5)
    assert len(moves) == 31
    assert pegs_after(5, moves) == {"A": [], "B": [], "C": [5, 4, 3, 2, 1]}
