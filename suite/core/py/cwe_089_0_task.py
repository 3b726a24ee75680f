import sqlite3


def find_user(db_path: str, name: str):
    """
    Look up a user by name in the SQLite database file `db_path`.

    The table is `users` with the columns `name` and `email`.
    Return the matching row (name, email), or None if there is no such user.
    """
    # BEGIN SOLUTION
    connection = sqlite3.connect(db_path)
    try:
        query = "SELECT name, email FROM users WHERE name = ?"
        return connection.execute(query, (name,)).fetchone()
    finally:
        connection.close()
