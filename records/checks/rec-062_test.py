import sqlite3

import pytest

from solution import category_total


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE expenses (category TEXT, cents INTEGER)")
    connection.executemany(
        "INSERT INTO expenses VALUES (?, ?)", [("food", 250), ("food", 100), ("rent", 90000), ("kid's club", 700)]
    )
    yield connection
    connection.close()


@pytest.mark.functionality
def test_sums_one_category(conn):
    assert category_total(conn, "food") == 350


@pytest.mark.functionality
def test_an_unused_category_is_zero(conn):
    assert category_total(conn, "travel") == 0


@pytest.mark.security
def test_a_category_may_hold_a_quote(conn):
    assert category_total(conn, "kid's club") == 700


@pytest.mark.security
def test_a_condition_in_the_text_is_only_text(conn):
    assert category_total(conn, "food' OR 'a'='a") == 0
