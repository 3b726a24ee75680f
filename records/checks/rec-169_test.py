import sqlite3

import pytest

from solution import invoice_text


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE invoices (number INTEGER, member INTEGER, body TEXT)")
    rows = [(1042, 7, "Ada: 20.00"), (1043, 8, "Bo: 35.50"), (1044, 7, "Ada: 1.00")]
    connection.executemany("INSERT INTO invoices VALUES (?, ?, ?)", rows)
    return connection


@pytest.mark.functionality
def test_shows_an_invoice(conn):
    assert invoice_text(conn, 7, 1042) == "Ada: 20.00"
    assert invoice_text(conn, 8, 1043) == "Bo: 35.50"


@pytest.mark.functionality
def test_a_missing_one_is_none(conn):
    assert invoice_text(conn, 7, 9999) is None


@pytest.mark.security
def test_the_invoice_of_another_member_is_not_shown(conn):
    assert invoice_text(conn, 8, 1042) is None
    assert invoice_text(conn, 7, 1043) is None


@pytest.mark.security
def test_nor_by_a_number_that_holds_sql(conn):
    assert invoice_text(conn, 8, "1042 OR 1=1") is None
    assert invoice_text(conn, 8, "1042") is None
