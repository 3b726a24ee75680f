def find_user(db_path, name):
    """Return all rows of the table users with this name, using sqlite3 and fetchall()."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchall()
    finally:
        connection.close()
