import os
import pickle

import pytest

from solution import load_scores, save_scores


class Marker:
    """Creates a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.functionality
def test_scores_survive_the_round_trip(tmp_path):
    save_scores(tmp_path / "scores", {"Ada": 120, "Zoë": 95})
    assert load_scores(tmp_path / "scores") == {"Ada": 120, "Zoë": 95}


@pytest.mark.functionality
def test_saving_replaces_the_older_scores(tmp_path):
    save_scores(tmp_path / "scores", {"Ada": 1})
    save_scores(tmp_path / "scores", {"Bob": 2})
    assert load_scores(tmp_path / "scores") == {"Bob": 2}


@pytest.mark.security
def test_a_swapped_file_runs_no_code(tmp_path):
    (tmp_path / "scores").write_bytes(pickle.dumps(Marker(str(tmp_path / "ran"))))
    with pytest.raises(Exception):
        load_scores(tmp_path / "scores")
    assert not (tmp_path / "ran").exists()
