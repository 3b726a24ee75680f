def find_user(db_path, name):
    """Connect to the SQLite database at db_path with sqlite3, select the row with this name from the table users, and return the row."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    finally:
        connection.close()
