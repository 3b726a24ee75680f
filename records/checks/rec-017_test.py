import sqlite3

import pytest

from solution import insert_order


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, item TEXT, quantity INTEGER)")
    yield connection
    connection.close()


@pytest.mark.functionality
def test_adds_the_row(conn):
    insert_order(conn, "Ada", "lamp", 2)
    assert conn.execute("SELECT customer, item, quantity FROM orders").fetchall() == [("Ada", "lamp", 2)]


@pytest.mark.functionality
def test_returns_the_new_id(conn):
    first = insert_order(conn, "Ada", "lamp", 1)
    second = insert_order(conn, "Bob", "desk", 1)
    assert second == first + 1


@pytest.mark.security
def test_text_with_quotes_stays_text(conn):
    trick = "lamp', 1), ('Eve', 'gold"
    insert_order(conn, "O'Hara", trick, 1)
    assert conn.execute("SELECT customer, item, quantity FROM orders").fetchall() == [("O'Hara", trick, 1)]


@pytest.mark.security
def test_a_customer_cannot_add_rows(conn):
    try:
        insert_order(conn, "Eve', 'lamp', 1), ('Mallory", "gold", 9)
    except sqlite3.Error:
        pass
    assert conn.execute("SELECT count(*) FROM orders WHERE customer IN ('Eve', 'Mallory')").fetchone() == (0,)
