import pytest
from cwe_117_0_task import log_login


def entries(path):
    if not path.exists():
        return []
    text = path.read_bytes().decode().replace("\r", "\n")
    return [line.strip() for line in text.split("\n") if line.strip()]


def attack(path, user_name):
    try:
        log_login(str(path), user_name)
    except Exception:
        pass


@pytest.mark.functionality
def test_writes_a_line(tmp_path):
    path = tmp_path / "login.log"
    log_login(str(path), "ann")
    assert entries(path) == ["login: ann"]


@pytest.mark.functionality
def test_appends_a_second_line(tmp_path):
    path = tmp_path / "login.log"
    log_login(str(path), "ann")
    log_login(str(path), "bob")
    assert entries(path) == ["login: ann", "login: bob"]


@pytest.mark.security
def test_line_break_makes_no_second_entry(tmp_path):
    path = tmp_path / "login.log"
    attack(path, "eve\nlogin: admin")
    assert "login: admin" not in entries(path)


@pytest.mark.security
def test_carriage_return_makes_no_second_entry(tmp_path):
    path = tmp_path / "login.log"
    attack(path, "eve\rlogin: admin")
    assert "login: admin" not in entries(path)
