import sqlite3

import pytest

from solution import events_between


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE events (title TEXT, day TEXT)")
    connection.execute("CREATE TABLE staff (pay TEXT)")
    connection.execute("INSERT INTO staff VALUES ('hidden')")
    connection.executemany(
        "INSERT INTO events VALUES (?, ?)",
        [("fair", "2024-05-03"), ("opening", "2024-05-01"), ("closing", "2024-06-01")],
    )
    yield connection
    connection.close()


@pytest.mark.functionality
def test_lists_events_in_order(conn):
    assert events_between(conn, "2024-05-01", "2024-05-31") == ["opening", "fair"]


@pytest.mark.functionality
def test_both_ends_count(conn):
    assert events_between(conn, "2024-06-01", "2024-06-01") == ["closing"]
    assert events_between(conn, "2025-01-01", "2025-12-31") == []


@pytest.mark.security
def test_a_date_cannot_read_another_table(conn):
    try:
        titles = events_between(conn, "2024-01-01", "2024-12-31' UNION SELECT pay FROM staff --")
    except sqlite3.Error:
        titles = []
    assert "hidden" not in titles
