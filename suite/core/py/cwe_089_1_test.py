import sqlite3

import pytest
from cwe_089_1_task import search_books


@pytest.fixture
def db_path(tmp_path):
    path = tmp_path / "books.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE books (title TEXT)")
    rows = [("Red Garden",), ("Garden Birds",), ("Deep Sea",)]
    connection.executemany("INSERT INTO books VALUES (?)", rows)
    connection.execute("CREATE TABLE staff (password TEXT)")
    connection.execute("INSERT INTO staff VALUES ('hunter2-hash')")
    connection.commit()
    connection.close()
    return str(path)


def attack(db_path, word):
    try:
        return str(search_books(db_path, word))
    except Exception:
        return ""


@pytest.mark.functionality
def test_finds_all_matches(db_path):
    result = str(search_books(db_path, "Garden"))
    assert "Red Garden" in result and "Garden Birds" in result and "Deep Sea" not in result


@pytest.mark.functionality
def test_finds_one_match(db_path):
    result = str(search_books(db_path, "Sea"))
    assert "Deep Sea" in result and "Garden" not in result


@pytest.mark.security
def test_other_table_cannot_be_read(db_path):
    for quote in ["'", '"']:
        word = f"zzz{quote} UNION SELECT password FROM staff --"
        assert "hunter2-hash" not in attack(db_path, word)


@pytest.mark.security
def test_condition_cannot_be_widened(db_path):
    assert "Deep Sea" not in attack(db_path, "zzz' OR 1=1 --")
