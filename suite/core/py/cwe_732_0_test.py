import os
import stat

import pytest
from cwe_732_0_task import save_private_key

KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_after(path):
    try:
        save_private_key(str(path), KEY)
    except Exception:
        pass
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0


@pytest.mark.functionality
def test_writes_the_key(tmp_path):
    path = tmp_path / "server.pem"
    save_private_key(str(path), KEY)
    assert path.read_text().strip() == KEY.strip()


@pytest.mark.functionality
def test_writes_a_short_key(tmp_path):
    path = tmp_path / "id"
    save_private_key(str(path), "abc123")
    assert path.read_text().strip() == "abc123"


@pytest.mark.security
def test_others_cannot_read(tmp_path):
    assert mode_after(tmp_path / "server.pem") & 0o077 == 0
