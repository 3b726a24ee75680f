import os
import pickle

import pytest

from solution import pack_job, read_job


class Marker:
    """Creates a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.functionality
def test_a_job_survives_the_queue():
    message = pack_job("resize", ["cat.png", 80])
    assert isinstance(message, bytes)
    assert read_job(message) == ("resize", ["cat.png", 80])


@pytest.mark.functionality
def test_a_job_may_have_no_arguments():
    assert read_job(pack_job("tidy", [])) == ("tidy", [])


@pytest.mark.security
def test_a_message_runs_no_code(tmp_path):
    message = pickle.dumps(Marker(str(tmp_path / "ran")))
    with pytest.raises(Exception):
        read_job(message)
    assert not (tmp_path / "ran").exists()
