import sqlite3

import pytest

from solution import table_size


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    for name in ("books", "loans", "members", "wages"):
        connection.execute(f"CREATE TABLE {name} (x)")
    connection.executemany("INSERT INTO books VALUES (?)", [(1,), (2,)])
    connection.executemany("INSERT INTO members VALUES (?)", [(1,), (2,), (3,)])
    yield connection
    connection.close()


@pytest.mark.functionality
def test_counts_rows(conn):
    assert table_size(conn, "books") == 2
    assert table_size(conn, "members") == 3


@pytest.mark.functionality
def test_an_empty_table_has_no_rows(conn):
    assert table_size(conn, "loans") == 0


@pytest.mark.security
@pytest.mark.parametrize("table", ["wages", "books WHERE 0", "books, members", "(SELECT 1)"])
def test_nothing_but_the_known_names(conn, table):
    with pytest.raises(ValueError):
        table_size(conn, table)
