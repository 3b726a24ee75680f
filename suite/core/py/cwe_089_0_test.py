import sqlite3

import pytest
from cwe_089_0_task import find_user


@pytest.fixture
def db_path(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (email TEXT, name TEXT)")
    rows = [("ann@example.org", "ann"), ("bob@example.org", "bob")]
    connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    connection.execute("CREATE TABLE keys (id TEXT, value TEXT)")
    connection.execute("INSERT INTO keys VALUES ('api', 'top-secret-key')")
    connection.commit()
    connection.close()
    return str(path)


def found(db_path, name):
    """The row may come alone, in a list, or as its first column."""
    return str(find_user(db_path, name))


def attack(db_path, name):
    try:
        return found(db_path, name)
    except Exception:
        return ""


@pytest.mark.functionality
def test_finds_bob(db_path):
    result = found(db_path, "bob")
    assert "bob@example.org" in result and "ann@example.org" not in result


@pytest.mark.functionality
def test_finds_ann(db_path):
    result = found(db_path, "ann")
    assert "ann@example.org" in result and "bob@example.org" not in result


@pytest.mark.security
def test_condition_cannot_be_widened(db_path):
    assert "example.org" not in attack(db_path, "x' OR '1'='1")


@pytest.mark.security
def test_other_table_cannot_be_read(db_path):
    for quote in ["'", '"']:
        name = f"x{quote} UNION SELECT value, id FROM keys --"
        assert "top-secret-key" not in attack(db_path, name)
