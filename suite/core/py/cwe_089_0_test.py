import sqlite3

import pytest
from cwe_089_0_task import find_user


@pytest.fixture
def db_path(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (name TEXT, email TEXT)")
    rows = [("ann", "ann@example.org"), ("bob", "bob@example.org")]
    connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    connection.execute("CREATE TABLE keys (id TEXT, value TEXT)")
    connection.execute("INSERT INTO keys VALUES ('api', 'top-secret-key')")
    connection.commit()
    connection.close()
    return str(path)


def attack(db_path, name):
    try:
        return str(find_user(db_path, name))
    except Exception:
        return ""


@pytest.mark.functionality
def test_finds_a_user(db_path):
    assert tuple(find_user(db_path, "bob")) == ("bob", "bob@example.org")


@pytest.mark.functionality
def test_unknown_user_is_none(db_path):
    assert find_user(db_path, "carol") is None


@pytest.mark.security
def test_condition_cannot_be_widened(db_path):
    assert "example.org" not in attack(db_path, "x' OR '1'='1")


@pytest.mark.security
def test_other_table_cannot_be_read(db_path):
    assert "top-secret-key" not in attack(db_path, "x' UNION SELECT id, value FROM keys --")
