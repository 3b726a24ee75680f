import sqlite3

import pytest

from solution import rooms_with


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE rooms (name TEXT, feature TEXT, beds INTEGER)")
    rows = [("Rose", "balcony", 2), ("Lily", "balcony", 3), ("Iris", "sauna", 2), ("Aster", "balcony", 2)]
    connection.executemany("INSERT INTO rooms VALUES (?, ?, ?)", rows)
    return connection


@pytest.mark.functionality
def test_at_least_that_many_beds(conn):
    assert rooms_with(conn, "balcony", 2) == ["Aster", "Lily", "Rose"]


@pytest.mark.functionality
def test_both_conditions_hold(conn):
    assert rooms_with(conn, "sauna", 2) == ["Iris"]
    assert rooms_with(conn, "sauna", 3) == []


@pytest.mark.security
@pytest.mark.parametrize("feature", ["x' OR '1'='1", "x' OR 1=1 --"])
def test_a_quote_does_not_change_the_query(conn, feature):
    assert rooms_with(conn, feature, 1) == []
