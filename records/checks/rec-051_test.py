import sqlite3

import pytest

from solution import take_from_stock


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE stock (sku TEXT, amount INTEGER)")
    connection.executemany("INSERT INTO stock VALUES (?, ?)", [("A-1", 10), ("B-2", 5)])
    yield connection
    connection.close()


def amounts(conn):
    return dict(conn.execute("SELECT sku, amount FROM stock"))


@pytest.mark.functionality
def test_lowers_one_article(conn):
    assert take_from_stock(conn, "A-1", 3) == 1
    assert amounts(conn) == {"A-1": 7, "B-2": 5}


@pytest.mark.functionality
def test_an_unknown_article_changes_nothing(conn):
    assert take_from_stock(conn, "Z-9", 3) == 0
    assert amounts(conn) == {"A-1": 10, "B-2": 5}


@pytest.mark.security
def test_a_sku_cannot_reach_other_rows(conn):
    assert take_from_stock(conn, "x' OR '1'='1", 1) == 0
    assert amounts(conn) == {"A-1": 10, "B-2": 5}
