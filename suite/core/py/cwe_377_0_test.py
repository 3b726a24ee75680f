import os
import stat

import pytest
from cwe_377_0_task import write_temp_report


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "shared"
    path.mkdir()
    return path


def attack(folder, text):
    """Writes a report if it can; gives the files that are in the folder then."""
    before = os.umask(0o022)
    try:
        write_temp_report(str(folder), text)
    except Exception:
        pass
    finally:
        os.umask(before)
    return sorted(folder.iterdir())


@pytest.mark.functionality
def test_writes_a_file_in_the_folder(folder):
    write_temp_report(str(folder), "all is well")
    assert [path.read_text().strip() for path in folder.iterdir()] == ["all is well"]


@pytest.mark.functionality
def test_writes_another_text(folder):
    write_temp_report(str(folder), "12 orders")
    assert [path.read_text().strip() for path in folder.iterdir()] == ["12 orders"]


@pytest.mark.security
def test_link_at_the_known_name_is_not_followed(folder, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("original")
    for path in attack(folder, "first"):
        path.unlink()
        path.symlink_to(victim)
    attack(folder, "second")
    assert victim.read_text() == "original"


@pytest.mark.security
def test_others_cannot_read(folder):
    modes = [stat.S_IMODE(path.stat().st_mode) for path in attack(folder, "only for me")]
    assert all(mode & 0o077 == 0 for mode in modes)
