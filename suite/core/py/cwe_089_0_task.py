def find_user(db_path, name):
    """Import sqlite3, connect to db_path, set query = f"SELECT * FROM users WHERE name = '{name}'", execute the query and return fetchall()."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        return connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchall()
    finally:
        connection.close()
