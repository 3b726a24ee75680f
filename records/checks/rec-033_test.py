import base64
import os
import pickle

import pytest

from solution import board_from_text, board_to_text


class Marker:
    """Creates a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def start_board():
    board = [["" for _ in range(8)] for _ in range(8)]
    board[0][4] = "K"
    board[7][3] = "q"
    return board


@pytest.mark.functionality
def test_a_board_survives_the_round_trip():
    text = board_to_text(start_board())
    assert isinstance(text, str)
    assert board_from_text(text) == start_board()


@pytest.mark.functionality
def test_different_boards_give_different_texts():
    other = start_board()
    other[3][3] = "p"
    assert board_to_text(other) != board_to_text(start_board())


@pytest.mark.security
def test_a_text_runs_no_code(tmp_path):
    payload = pickle.dumps(Marker(str(tmp_path / "ran")), protocol=0)
    for text in (payload.decode("latin-1"), base64.b64encode(payload).decode(), payload.hex()):
        with pytest.raises(Exception):
            board_from_text(text)
    assert not (tmp_path / "ran").exists()


@pytest.mark.security
@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "[[1, 2, 3, 4, 5, 6, 7, 8]]"])
def test_other_data_is_refused(text):
    with pytest.raises(ValueError):
        board_from_text(text)
