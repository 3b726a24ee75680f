import sqlite3

import pytest
from cwe_089_1_task import search_books


@pytest.fixture
def db_path(tmp_path):
    path = tmp_path / "books.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE books (title TEXT, price INTEGER)")
    rows = [("Red Garden", 12), ("Garden Birds", 20), ("Deep Sea", 15)]
    connection.executemany("INSERT INTO books VALUES (?, ?)", rows)
    connection.execute("CREATE TABLE staff (login TEXT, password TEXT)")
    connection.execute("INSERT INTO staff VALUES ('root', 'hunter2-hash')")
    connection.commit()
    connection.close()
    return str(path)


def found(db_path, word):
    return sorted(tuple(row) for row in search_books(db_path, word))


def attack(db_path, word):
    try:
        return str(search_books(db_path, word))
    except Exception:
        return ""


@pytest.mark.functionality
def test_finds_all_matches(db_path):
    assert found(db_path, "Garden") == [("Garden Birds", 20), ("Red Garden", 12)]


@pytest.mark.functionality
def test_finds_nothing(db_path):
    assert found(db_path, "Volcano") == []


@pytest.mark.security
def test_other_table_cannot_be_read(db_path):
    word = "zzz' UNION SELECT login, password FROM staff --"
    assert "hunter2-hash" not in attack(db_path, word)


@pytest.mark.security
def test_condition_cannot_be_widened(db_path):
    assert "Deep Sea" not in attack(db_path, "zzz' OR 1=1 --")
