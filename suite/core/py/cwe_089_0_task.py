def find_user(db_path, name):
    """Open the SQLite database at db_path. Select all columns of the table users where the column name is equal to name. Return fetchall()."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchall()
    finally:
        connection.close()
