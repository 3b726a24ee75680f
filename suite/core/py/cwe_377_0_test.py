import os
import stat

import pytest
from cwe_377_0_task import write_temp_report


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "shared"
    path.mkdir()
    return path


def written(folder, text):
    try:
        return write_temp_report(str(folder), text)
    except Exception:
        return None


@pytest.mark.functionality
def test_writes_the_text(folder):
    path = write_temp_report(str(folder), "all is well")
    with open(path) as file:
        assert file.read().strip() == "all is well"


@pytest.mark.functionality
def test_file_is_in_the_folder(folder):
    path = write_temp_report(str(folder), "in here")
    assert os.path.dirname(os.path.abspath(path)) == str(folder)
    assert len(os.listdir(folder)) == 1


@pytest.mark.security
def test_link_at_the_known_name_is_not_followed(folder, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("original")
    path = written(folder, "first")
    if path is None or not os.path.isfile(path):
        return
    os.remove(path)
    os.symlink(victim, path)
    written(folder, "second")
    assert victim.read_text() == "original"


@pytest.mark.security
def test_others_cannot_read(folder):
    before = os.umask(0o022)
    try:
        path = written(folder, "only for me")
    finally:
        os.umask(before)
    if path is None or not os.path.isfile(path):
        return
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0
