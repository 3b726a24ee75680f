import sqlite3

import pytest

from solution import delete_tag


@pytest.fixture
def conn():
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE tags (name TEXT); CREATE TABLE note_tags (note_id INTEGER, tag TEXT)")
    connection.executemany("INSERT INTO tags VALUES (?)", [("work",), ("home",), ("o'clock",)])
    connection.executemany("INSERT INTO note_tags VALUES (?, ?)", [(1, "work"), (2, "work"), (2, "home"), (3, "o'clock")])
    connection.commit()
    return connection


def left(conn):
    return [row[0] for row in conn.execute("SELECT name FROM tags ORDER BY name")]


@pytest.mark.functionality
def test_removes_the_tag_from_both_tables(conn):
    assert delete_tag(conn, "work") == 2
    assert left(conn) == ["home", "o'clock"]
    assert conn.execute("SELECT COUNT(*) FROM note_tags").fetchone() == (2,)
    assert not conn.in_transaction


@pytest.mark.functionality
def test_an_unknown_tag_is_no_loss(conn):
    assert delete_tag(conn, "garden") == 0
    assert len(left(conn)) == 3


@pytest.mark.security
def test_a_tag_cannot_widen_the_condition(conn):
    assert delete_tag(conn, "x' OR '1'='1") == 0
    assert len(left(conn)) == 3


@pytest.mark.security
def test_a_quote_is_part_of_the_tag(conn):
    assert delete_tag(conn, "o'clock") == 1
