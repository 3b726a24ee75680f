import os
import stat

import pytest
from cwe_732_0_task import save_password


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.functionality
def test_writes_the_password(tmp_path):
    save_password(str(tmp_path), "correct-horse")
    assert "correct-horse" in (tmp_path / "password.txt").read_text()


@pytest.mark.functionality
def test_writes_another_password(tmp_path):
    save_password(str(tmp_path), "abc123")
    assert "abc123" in (tmp_path / "password.txt").read_text()


@pytest.mark.security
def test_others_cannot_read(tmp_path):
    try:
        save_password(str(tmp_path), "correct-horse")
    except Exception:
        pass
    modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()]
    assert all(mode & 0o077 == 0 for mode in modes)
